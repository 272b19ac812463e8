# What C code sees of dates, and what it makes of them.
import datetime as D
import os
import time

os.environ["TZ"] = "Europe/Berlin"
time.tzset()
import dates


class Sub(D.datetime):
    def __new__(cls, *args, **kwargs):
        print("called", args)
        return super().__new__(cls, *args, **kwargs)


class SubDate(D.date):
    extra = 5


def show(function, *args):
    try:
        result = function(*args)
    except Exception as error:
        print(function.__name__, args, type(error).__name__, error)
        return
    print(function.__name__, args, type(result).__name__, repr(result), dates.look(result))


zone = D.timezone(D.timedelta(hours=-5), "N")
for value in [D.date(2024, 2, 29), D.date.max, SubDate(1, 2, 3), D.datetime(2024, 5, 6, 7, 8, 9, 123456),
              D.datetime.max, D.datetime(1, 1, 1, tzinfo=D.UTC, fold=1), D.datetime(1, 1, 1, tzinfo=zone),
              Sub(2000, 1, 1), D.time.max, D.time(1, 2, 3, 4, zone, fold=1), D.time(1, tzinfo=D.UTC),
              D.timedelta(-1, 5, 7), D.timedelta.max, zone, 5]:
    print(repr(value), "->", dates.look(value))
print(dates.types() == (D.date, D.datetime, D.time, D.timedelta, D.tzinfo, D.UTC))
show(dates.date, 2024, 2, 29)
show(dates.date, 2023, 2, 29)
show(dates.date, 0, 1, 1)
show(dates.date, 2000, 1, 1, SubDate)
show(dates.datetime, 2024, 5, 6, 7, 8, 9, 10)
show(dates.datetime, 2024, 5, 6, 7, 8, 9, 10, D.UTC)
show(dates.datetime, 2024, 5, 6, 7, 8, 9, 10, zone, 1)
show(dates.datetime, 2024, 5, 6, 7, 8, 9, 10, None, 2)
show(dates.datetime, 2024, 5, 6, 7, 8, 60, 10)
show(dates.datetime, 2024, 5, 6, 7, 8, 9, 10, 5)
show(dates.datetime, 2024, 5, 6, 7, 8, 9, 10, D.UTC, 1, Sub)
show(dates.time, 1, 2, 3, 4)
show(dates.time, 1, 2, 3, 4, zone)
show(dates.time, 1, 2, 3, 4, D.UTC, 1)
show(dates.time, 24, 2, 3, 4)
show(dates.delta, 1, 2, 3)
show(dates.delta, 1, -2, 3000000)
show(dates.delta, 999999999, 86400, 0)
show(dates.delta, -999999999, 0, 0)
show(dates.zone, D.timedelta(0))
show(dates.zone, D.timedelta(hours=1))
show(dates.zone, D.timedelta(hours=1), "name")
show(dates.zone, D.timedelta(hours=24))
show(dates.from_timestamp, 1e9)
show(dates.from_timestamp, 1e9, D.UTC)
show(dates.from_timestamp, 1.5, zone)
show(dates.from_timestamp)
show(dates.from_timestamp, "x")
show(dates.date_from_timestamp, 86400)
show(dates.date_from_timestamp, 1e30)
moment = dates.datetime(2024, 5, 6, 7, 8, 9, 10, zone)
print(moment == D.datetime(2024, 5, 6, 7, 8, 9, 10, zone), hash(moment) == hash(moment.astimezone(D.UTC)), moment + D.timedelta(1))
