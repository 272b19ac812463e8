# Dates, times, durations and zones: every class made in every way, right and wrong, one expression a line.
import datetime as D
import os
import time
import warnings
from datetime import date, datetime, timedelta, timezone, tzinfo

os.environ["TZ"] = "America/New_York"
time.tzset()
warnings.simplefilter("ignore")


class S(datetime):
    def __new__(cls, *args, **kwargs):
        print("   new", args, kwargs)
        return super().__new__(cls, *args, **kwargs)


class SD(date):
    def __new__(cls, *args, **kwargs):
        print("   new", args, kwargs)
        return super().__new__(cls, *args, **kwargs)


class ST(D.time):
    def __new__(cls, *args, **kwargs):
        print("   new", args, kwargs)
        return super().__new__(cls, *args, **kwargs)


class TD(timedelta):
    pass


class TZ(tzinfo):
    def __init__(self, *answers):
        self.r = answers

    def utcoffset(self, moment):
        return self.r[0]

    def dst(self, moment):
        return self.r[1]

    def tzname(self, moment):
        return self.r[2]


class I:
    def __index__(self):
        return 5


class Ratio(float):
    """A float that lies about its ratio."""

    def as_integer_ratio(self):
        return self.pair


def ratio(pair):
    made = Ratio()
    made.pair = pair
    return made


class Name(str):
    """A name that answers `replace` as it likes."""

    def replace(self, *args):
        return self.other


def named(other):
    name = Name("nm")
    name.other = other
    return datetime(2020, 1, 1, tzinfo=TZ(None, None, name))


EXPRESSIONS = r"""
datetime()
datetime('a')
datetime(1,2)
datetime(1,2,3,foo=1)
datetime(1,2,3,year=1)
datetime(1,2,3,4,5,6,7,None,0)
datetime(2020,13,1)
datetime(2020,1,32)
datetime(0,1,1)
datetime(10000,1,1)
datetime(2020,1,1,24)
datetime(2020,1,1,0,60)
datetime(2020,1,1,0,0,60)
datetime(2020,1,1,0,0,0,1000000)
datetime(2020,1,1,fold=2)
datetime(2020,1,1,tzinfo=1)
datetime(2020,1,1.0)
datetime(2020,1,10**10)
datetime(2020,1,10**30)
date()
date(1)
date(1,2,3,4)
date(b'1234')
date('abcd')
date(b'\xff\xff\x0c\xff')
date(b'\0\0\x0c\0').isoformat()
date('ab\x01\u1234')
D.time(25)
D.time(1,2,3,4,5)
D.time(1,2,3,4,None,5)
D.time(b'123456')
D.time(b'\x01\x02\x03\x04\x05\x06', 1)
D.time(b'\x81\xff\xff\xff\xff\xff')
datetime(b'\x07\xe4\x81\x02\x03\x04\x05\x06\x07\x08')
datetime(b'\xff\xff\x0c\xff\xff\xff\xff\xff\xff\xff')
datetime(b'\x07\xe4\x81\x02\x03\x04\x05\x06\x07\x08', 5)
datetime('\x07\xe4\x81\x02\x03\x04\x05\x06\x07\u1234')
S(2020,1,1).replace(fold=1)
S(2020,1,1).replace(fold=1).fold
ST(1).replace(fold=1).fold
SD(2020,1,1).replace(year=3)
S(2020,1,1)+timedelta(1)
S(2020,1,1).astimezone()
S.fromordinal(5)
S.combine(date(1,1,1),D.time(1,fold=1))
S.fromisoformat('2020-01-01')
SD.fromisoformat('2020-01-01')
SD.fromisocalendar(2020,1,1)
S.fromisocalendar(2020,1,1)
ST.fromisoformat('01')
S.strptime('2020','%Y')
S(2020,1,1).date()
S(2020,1,1).time()
datetime.fromisoformat('2020-01-01T')
datetime.fromisoformat('2020-01-01T24:00')
datetime.fromisoformat('2020-01-01T24:01')
datetime.fromisoformat(5)
date.fromisoformat('x')
date.fromisoformat(5)
D.time.fromisoformat('x')
D.time.fromisoformat(5)
D.time.fromisoformat('24:00')
D.time.fromisoformat('25:00')
datetime.fromisoformat('2020-13-01')
date.fromisoformat('2020-13-01')
date.fromisoformat('2020-W60-1')
datetime.fromisoformat('2020-01-01T00:00+25:00')
datetime.fromisoformat('2020-01-01T00:00+23:60')
date.fromisocalendar(0,1,1)
date.fromisocalendar(2020,60,1)
date.fromisocalendar(2020,1,8)
date.fromisocalendar(10**20,1,1)
date.fromisocalendar(1,2)
date.fromisocalendar('a',2,3)
date.fromordinal(0)
date.fromordinal(10**9)
date.fromordinal(10**10)
date.fromordinal(10**19)
date.fromordinal('a')
date.fromordinal()
date.fromtimestamp(1e30)
date.fromtimestamp(1e12)
date.fromtimestamp(10**18)
date.fromtimestamp('a')
date.fromtimestamp(None)
date.fromtimestamp(float('nan'))
datetime.fromtimestamp(float('nan'))
datetime.fromtimestamp(1e12)
datetime.fromtimestamp(1e18)
datetime.fromtimestamp(1e19)
datetime.fromtimestamp(1e30)
datetime.fromtimestamp(10**30)
datetime.fromtimestamp('a')
datetime.fromtimestamp()
datetime.fromtimestamp(1,2,3)
datetime.fromtimestamp(1,2)
datetime.utcfromtimestamp(-1e11)
datetime.utcfromtimestamp(-1e10)
timedelta('a')
timedelta(1,2,3,4,5,6,7,8)
timedelta(foo=1)
timedelta(1,days=1)
timedelta(10**10)
timedelta(10**9)
timedelta(10**30)
timedelta(float('inf'))
timedelta(float('nan'))
timedelta(seconds=None)
timedelta(microseconds=0.5), timedelta(microseconds=1.5), timedelta(microseconds=2.5)
timedelta(days=999999999)+timedelta(1)
-timedelta.max
timedelta(1)/0
timedelta(1)//0
timedelta(1)%0
timedelta(1)/timedelta(0)
timedelta(1)//timedelta(0)
timedelta(1)%timedelta(0)
divmod(timedelta(1),timedelta(0))
divmod(timedelta(1),2)
timedelta(1)/0.0
timedelta(1)/float('nan')
timedelta(1)*float('inf')
timedelta(1)*10**30
timedelta(1)*1e30
timedelta(1)/1e-30
timedelta(1)/'a'
timedelta(1)<1
timedelta(1)-date(1,1,1)
repr(TD(1)), str(TD(-1,5,6))
TD(1)+TD(2)
TD(1)*2
abs(TD(-1)), +TD(1), -TD(1)
date(1,1,1)-timedelta(1)
date(1,1,1)+timedelta(10**8)
datetime(1,1,1)-timedelta(1)
datetime(9999,12,31)+timedelta(1)
date(2020,1,1)-datetime(2020,1,1)
datetime(2020,1,1)-date(2020,1,1)
datetime(2020,1,1)-datetime(2020,1,1,tzinfo=timezone.utc)
datetime(2020,1,1)<datetime(2020,1,1,tzinfo=timezone.utc)
datetime(2020,1,1)==datetime(2020,1,1,tzinfo=timezone.utc)
datetime(2020,1,1)<date(2020,1,1)
date(2020,1,1)<datetime(2020,1,1)
datetime(2020,1,1)<1
D.time(1)<D.time(1,tzinfo=timezone.utc)
D.time(1)<1
date(2020,1,1)<1
tzinfo().utcoffset(None)
tzinfo().dst(None)
tzinfo().tzname(None)
tzinfo().fromutc(None)
tzinfo().fromutc(datetime(1,1,1))
TZ(None,None,None).fromutc(datetime(2020,1,1))
(lambda t: t.fromutc(datetime(2020,1,1,tzinfo=t)))(TZ(None,None,None))
(lambda t: t.fromutc(datetime(2020,1,1,tzinfo=t)))(TZ(timedelta(1),None,None))
(lambda t: t.fromutc(datetime(2020,1,1,tzinfo=t)))(TZ(timedelta(0),None,None))
datetime(1,1,1,tzinfo=TZ(1,2,3)).utcoffset()
datetime(1,1,1,tzinfo=TZ(1,2,3)).dst()
datetime(1,1,1,tzinfo=TZ(1,2,3)).tzname()
datetime(1,1,1,tzinfo=TZ(timedelta(1),2,3)).utcoffset()
datetime(1,1,1,tzinfo=TZ(timedelta(1),timedelta(-1),3)).dst()
timezone()
timezone(1)
timezone(timedelta(1))
timezone(timedelta(0))
timezone(timedelta(0)) is timezone.utc
timezone(timedelta(0),'a')
timezone(timedelta(0),1)
timezone(timedelta(0),'a','b')
timezone(offset=timedelta(0),name='a')
timezone(timedelta(0),None)
str(timezone(timedelta(seconds=1))), str(timezone(timedelta(microseconds=-1))), str(timezone(timedelta(hours=-5))), str(timezone(timedelta(0),'')), str(timezone.utc)
timezone.utc.tzname(1)
timezone.utc.utcoffset(1)
timezone.utc.dst(1)
timezone.utc.dst(None)
timezone.utc.fromutc(1)
timezone.utc.fromutc(datetime(1,1,1))
timezone.utc == 1, timezone.utc == timezone(timedelta(0),'x')
timezone.utc < timezone.utc
type('x',(timezone,),{})
timezone.utc.__reduce__()
timezone(timedelta(1,-5),'n').__reduce__()
tzinfo().__reduce__()
TZ(1).__reduce__()
datetime(2020,1,1).isoformat(5)
datetime(2020,1,1).isoformat('ab')
datetime(2020,1,1).isoformat(sep='\ud800')
datetime(2020,1,1).isoformat('T','x')
datetime(2020,1,1).isoformat('T',5)
datetime(2020,1,1).isoformat('T','hours','x')
D.time(1).isoformat(5)
D.time(1).isoformat('xx')
D.time(1).isoformat('hou\0rs')
D.time(1).isoformat('milliseconds')
datetime(2020,1,1).isoformat(' ', 'milliseconds')
datetime(2020,1,1).isoformat(timespec='hours')
datetime(2020,1,1).strftime(5)
datetime(2020,1,1).strftime()
date(2020,1,1).__format__(5)
date(1,1,1).strftime('%Y %G %C %F %y %4Y %-Y'), datetime(1,1,1).strftime('%c|%x|%D')
date(1,1,1).strftime('%')
date(1,1,1).strftime('%Q %')
date(1,1,1).strftime('%:z|%z|%Z|%f|%:')
date(1,1,1).strftime('a\0b%Y\ud800')
datetime(1,1,1,tzinfo=timezone(timedelta(hours=-1,microseconds=5),'a%Yb')).strftime('%z %:z %Z %f %%z')
datetime(1,1,1,tzinfo=TZ(timedelta(0),None,5)).strftime('%Z')
datetime(1,1,1,tzinfo=TZ(timedelta(0),None,None)).strftime('%Z')
D.time(1).strftime('%Y-%m %H')
datetime(2020,1,1).combine(1,2)
datetime.combine(date(1,1,1),2)
datetime.combine(date(1,1,1))
datetime.combine(date(1,1,1),D.time(),5)
datetime.combine(date=date(1,1,1),time=D.time(1),tzinfo=timezone.utc)
datetime.strptime(1,2)
datetime.strptime('a')
datetime.strptime('a','b')
date.strptime('2020','%Y')
D.time.strptime('20','%H')
datetime(2020,1,1).astimezone(5)
datetime(2020,1,1).astimezone(1,2)
datetime(2020,7,1).astimezone()
datetime(2020,1,1).astimezone(timezone.utc)
datetime(1,1,1).astimezone(timezone.utc)
datetime(9999,12,31).astimezone(timezone.utc)
datetime(1,1,1,tzinfo=timezone(timedelta(hours=1))).astimezone(timezone.utc)
datetime(1,1,1).timestamp()
datetime(2020,3,8,2,30).timestamp(), datetime(2020,3,8,2,30,fold=1).timestamp(), datetime(2020,11,1,1,30).timestamp(), datetime(2020,11,1,1,30,fold=1).timestamp()
datetime(1,1,1,tzinfo=timezone(timedelta(hours=1))).timestamp()
datetime(1,1,1,tzinfo=timezone(timedelta(hours=1))).utctimetuple()
datetime(2020,1,1,tzinfo=TZ(timedelta(0),timedelta(hours=1),5)).timetuple()
datetime(2020,1,1).timetuple()
date(2020,1,1).timetuple()
date(2020,1,1).replace(year='a')
date(2020,1,1).replace(1,2,3,4)
date(2020,1,1).replace(foo=1)
date(2020,1,1).__replace__(1)
date(2020,1,1).__replace__(year=5)
datetime(2020,1,1).replace(fold=2)
datetime(2020,1,1).replace(tzinfo=2)
datetime(2020,1,1).replace(1,2,3,4,5,6,7,None,1)
D.time(1).replace(1,2,3,4,None,1)
D.time(1).replace(hour=30)
datetime(2020,1,1,5,6,7,8,fold=1,tzinfo=timezone.utc)
D.time(5,6,7,8,fold=1,tzinfo=timezone.utc), D.time(5,fold=1),D.time(5,6,7)
datetime(2020,1,1,5,fold=1).__reduce_ex__(2), datetime(2020,1,1,5,fold=1).__reduce_ex__(4), datetime(2020,1,1,5,fold=1).__reduce__()
datetime(2020,1,1).__reduce_ex__('a')
datetime(2020,1,1).__reduce_ex__()
D.time(5,fold=1).__reduce_ex__(4)
date(2020,1,1).__reduce__()
date(2020,1,1).isocalendar()
date(2020,1,1).isocalendar().__reduce__()
type(date(2020,1,1).isocalendar())((1,2,3))
type(date(2020,1,1).isocalendar())(1,2,3)
type(date(2020,1,1).isocalendar())(1,2)
type(date(2020,1,1).isocalendar())(year=1,week=2,weekday=3)
type(date(2020,1,1).isocalendar()).__qualname__, type(date(2020,1,1).isocalendar()).__module__
type('x',(type(date(2020,1,1).isocalendar()),),{})
date(2020,1,1).isocalendar()+(1,)
timedelta.resolution.days.__class__
timedelta.__setattr__(timedelta(1),'days',5)
date(1,1,1).__setattr__('year',5)
TZ.__reduce__(tzinfo())
D.time(1,tzinfo=TZ(5,5,5)).utcoffset()
D.time(1,tzinfo=TZ(timedelta(0),5,5)).isoformat()
hash(D.time(1,tzinfo=TZ(timedelta(hours=23),5,5)))==hash(timedelta(hours=-22))
datetime.fromtimestamp(I())
date.fromtimestamp(I())
datetime.fromtimestamp(1604212200).fold
S.fromtimestamp(1604212200)
S.fromtimestamp(1604212200).fold
S.fromtimestamp(1604212200, timezone.utc)
timedelta.__new__(TD, 1)
date(2020,1,1).isocalendar().year
type(date(2020,1,1).isocalendar()).__new__(int,1,2,3)
datetime.max.__reduce_ex__(True)
D.time(1).__reduce_ex__(-5)
datetime.fromisoformat('2020-01-01T24:00:00+25:00')
datetime.fromisoformat('9999-12-31T24:00')
datetime.fromisoformat('2020-02-30T24:00')
datetime.fromisoformat('2020-01-01T00:00+24:00')
datetime.fromisoformat('2020-01-01T00:00:00.123456789+00:00')
datetime.fromisoformat('2020-01-01T00:00:00,1')
datetime.fromisoformat('2020-01-01T00:00:00.')
datetime.fromisoformat('2020-01-01T00:00Z')
datetime.fromisoformat('2020-01-01T00:00Zx')
datetime.fromisoformat('2020-01-01T00:00+')
datetime.fromisoformat('2020-01-01T+00:00')
datetime.fromisoformat('2020-01-01\ud80000:00')
datetime.fromisoformat('2020-01-01\U0001000000:00')
datetime.fromisoformat('2020-01-01\0')
datetime.fromisoformat('2020-01-01T00:00\0')
datetime.fromisoformat('2020-01-01T00:00\ud800')
datetime.fromisoformat('')
datetime.fromisoformat('２020-01-01')
D.time.fromisoformat('T01')
D.time.fromisoformat('T')
D.time.fromisoformat('T01:00:00-01:00:00.5')
D.time.fromisoformat('01+00:00') .tzinfo is timezone.utc
D.time.fromisoformat('\ud80001')
D.time.fromisoformat('24:00:01')
D.time.fromisoformat('01:60')
timezone.utc.__init__(1,2,3)
tzinfo.__new__(int)
timezone.__new__(tzinfo, timedelta(1))
date(2020,1,1).strftime(format='%d')
date(2020,1,1).strftime(fmt='%d')
datetime.strptime('a', format='b')
date.fromordinal(ordinal=5)
datetime.fromtimestamp(timestamp=5,tz=None)
datetime.utcfromtimestamp(5,6)
datetime.utcfromtimestamp()
date.fromtimestamp()
date.today(1)
date(2020,1,1).ctime(1)
datetime(2020,1,1).ctime()
datetime(2020,1,1,tzinfo=TZ(None,None,None)) == datetime(2020,1,1)
datetime(2020,1,1,tzinfo=TZ(None,None,None)) - datetime(2020,1,1)
repr(datetime(2020,1,1,tzinfo=TZ(None,None,None)))[:50]
hash(datetime(2020,1,1,tzinfo=TZ(None,None,None)))==hash(datetime(2020,1,1))
hash(datetime(2020,1,1,tzinfo=timezone(timedelta(hours=1)))) == hash(timedelta(days=737425, hours=-1))
hash(datetime(2020,1,1,tzinfo=timezone(timedelta(hours=1)))) == hash(datetime(2019,12,31,23,tzinfo=timezone.utc))
hash(date(2020,1,1))==hash(b'\x07\xe4\1\1'), hash(timedelta(1,2,3))==hash((1,2,3))
date(2020,1,1).__add__(1)
date(2020,1,1).__radd__(timedelta(1))
timedelta(1).__radd__(date(2020,1,1))
timedelta(1)+date(2020,1,1)
timedelta(1)+datetime(2020,1,1)
True*timedelta(1), timedelta(1)*True, 2.5*timedelta(1), timedelta(1)//True, timedelta(1)/True
timedelta(1)//2.0
timedelta(days=1)/3, timedelta(microseconds=3)/2, timedelta(microseconds=5)/2, timedelta(microseconds=-5)/2, timedelta(microseconds=5)/-2
timedelta(microseconds=5)*0.5, timedelta(microseconds=3)*0.5,timedelta(microseconds=-3)*0.5
timedelta.max.total_seconds(), timedelta.min.total_seconds(), timedelta(-1,1,1).total_seconds()
timedelta.max/timedelta.resolution, timedelta.max//timedelta.resolution, divmod(timedelta.max,timedelta(microseconds=7))
timedelta(1) % timedelta(seconds=-7)
bool(timedelta(0)), bool(timedelta(microseconds=1))
timedelta(1)//10**40, -timedelta(1)//10**40, timedelta(1)/10**40
timedelta(microseconds=10**40,milliseconds=-10**37)
timedelta(1e300)
timedelta(microseconds=1e17,seconds=-1e11)
timedelta(days=0.1,seconds=0.1,weeks=1.234567890123)
date.max-date.min, datetime.max-datetime.min
date(1,1,1).weekday(), date(1,1,1).isoweekday(), date(2020,1,1).toordinal()
date.min.isocalendar(), date.max.isocalendar()
str(date(1,2,3)), str(datetime(1,2,3)), format(datetime(1,2,3),''), format(date(1,2,3),'%d')
datetime(1,2,3).__format__()
__import__('copy').copy(timezone.utc) is timezone.utc, __import__('copy').deepcopy(datetime(1,2,3,tzinfo=timezone.utc)).tzinfo is timezone.utc
datetime(1,2,3).__class__.__mro__
datetime(1,2,3).__sizeof__(), date(1,2,3).__sizeof__(), D.time().__sizeof__(), timedelta().__sizeof__()
datetime(2020,1,1).astimezone(tz=None) is None
datetime(2020,1,1,tzinfo=timezone.utc).astimezone()
(lambda d: d.astimezone(d.tzinfo) is d)(datetime(2020,1,1,tzinfo=timezone.utc))
datetime(2020,1,1,tzinfo=TZ(None,None,None)).astimezone(timezone.utc)
datetime(2020,1,1).utctimetuple()
datetime(2020,1,1,tzinfo=TZ(timedelta(0),None,5)).timetuple().tm_isdst
datetime(2020,1,1,fold=1).time(), datetime(2020,1,1,fold=1,tzinfo=timezone.utc).timetz()
date.fromisocalendar(9999,52,5)
date.fromisocalendar(9999,52,6)
date.fromisoformat('9999-W52-6')
date.fromisoformat('0000-W52-6')
date.fromisoformat('0001-W01-1')
date.fromisoformat('0000-01-01')
datetime.fromisoformat('2020W011')
date.fromisoformat('2020W01')
date.fromisoformat('2020-W01')
date.fromisoformat('2020-W01-')
date.fromisoformat('20200101')
date.fromisoformat('2020-0101')
date.fromisoformat('202001-01')
date.fromisoformat('2020-W011')
datetime.fromisoformat('2020-W01-1T01')
datetime.fromisoformat('2020W011T01')
datetime.fromisoformat('2020W01T01')
datetime.fromisoformat('2020W01101')
datetime.fromisoformat('2020W0110102')
datetime.fromisoformat('2020-01-01T0102')
datetime.fromisoformat('2020-01-01T010203')
datetime.fromisoformat('2020-01-01T010203.5')
datetime.fromisoformat('2020-01-01T01:0203')
datetime.fromisoformat('2020-01-01T0102:03')
datetime.fromisoformat('2020-01-01T01:02:03:04')
datetime.fromisoformat('2020-01-01T01.5')
datetime.fromisoformat('2020-01-01T010203+0100')
datetime.fromisoformat('2020-01-01T010203+01:00:00.123')
datetime.fromisoformat('2020-01-01T010203-00:00')
datetime.fromisoformat('2020-01-01T010203-01000')
datetime.fromisoformat('2020-01-01T01:02:03+1')
datetime.fromisoformat('2020-01-01T01:02:03.+01')
datetime.fromisoformat('2020-01-01T01:02:03.1234567')
datetime.fromisoformat('2020-01-01T01:02:03.12345x')
datetime.fromisoformat('2020-01-01T1')
datetime.fromisoformat('2020-01-01Ｔ01')
datetime.fromisoformat('2020-01-0101')
date.fromisoformat('2020-01-1')
date.fromisoformat('2020-1-01')
date.fromisoformat('2020-01\ud800-1')
date.fromisoformat('２０２０-01-1')
date(2020,5,5).strftime('%C %y %D %e'), date(123,1,1).strftime('%C|%Y|%G|%F')
datetime.fromtimestamp(-62135596800)
datetime.fromtimestamp(-62135510400)
datetime.fromtimestamp(-62135510400+6*3600)
datetime.utcfromtimestamp(-62135596800)
datetime.utcfromtimestamp(253402300799.9999999)
datetime.fromtimestamp(253402300799, timezone.utc)
datetime.fromtimestamp(0, timezone(timedelta(hours=-23)))
date.fromtimestamp(-62135596800)
datetime(1,1,1).__init__(5)
hash(D.time(1,fold=1))==hash(D.time(1)), hash(datetime(1,1,1,fold=1))==hash(datetime(1,1,1))
D.time(1,fold=1)==D.time(1)
D.time(1,tzinfo=timezone.utc)==D.time(2,tzinfo=timezone(timedelta(hours=1)))
D.time(1,tzinfo=timezone.utc)<D.time(2,tzinfo=timezone(timedelta(hours=1)))
D.time(1)==D.time(1,tzinfo=timezone.utc), D.time(1)!=D.time(1,tzinfo=timezone.utc)
datetime(2020,1,1).__radd__(timedelta(1))
datetime(2020,1,1).__rsub__(timedelta(1))
date(2020,1,1).__rsub__(date(2020,1,2))
date.__hash__(datetime(2020,1,1))==hash(date(2020,1,1))
date.__repr__(datetime(2020,1,1))
date.__reduce__(datetime(2020,1,1))
date.replace(datetime(2020,1,1,5),year=3)
date.__add__(datetime(2020,1,1,5),timedelta(1))
date.__eq__(datetime(2020,1,1),date(2020,1,1))
date.__eq__(date(2020,1,1),datetime(2020,1,1))
date.isoformat(datetime(2020,1,1,5))
date.timetuple(datetime(2020,1,1,5))
datetime.isoformat(date(1,1,1))
timedelta(1) * ratio((3, 2)), timedelta(1) / ratio((3, 2)), timedelta(microseconds=7) * ratio((1, 2))
timedelta(1) * ratio(5)
timedelta(1) * ratio((1,))
timedelta(1) / ratio((0, 1))
timedelta(1) / ratio((1 << 1000, 3))
named("a%Yb").strftime("%Z")
named(None).strftime("%Z")
[datetime(2021, 3, 14, 2, 30, fold=f).astimezone() for f in (0, 1)]
[datetime(2021, 11, 7, 1, 30, fold=f).astimezone().isoformat() for f in (0, 1)]
[datetime.fromtimestamp(datetime(2021, 11, 7, 1, 30, fold=f).timestamp()).fold for f in (0, 1)]
__import__("pickle").dumps((datetime(2020, 1, 2, tzinfo=timezone.utc), date(1, 2, 3), D.time(4, fold=1), timedelta(5)), 4)
__import__("pickle").loads(b"cdatetime\ndatetime\n(V\x07\xe4\x01\x02\x03\x04\x05\x06\x07\x08\ntR.".replace(b"V", b"S'").replace(b"\x08\n", b"\x08'\n"), encoding="latin1")
"""

for expression in EXPRESSIONS.strip().splitlines():
    try:
        shown = repr(eval(expression))
    except Exception as error:
        shown = f"{type(error).__name__}: {error}"
    print(ascii(f"{expression} -> {shown}"))

for module in [D.date, D.datetime, D.time, D.timedelta, D.tzinfo, D.timezone, type(date.min.isocalendar())]:
    print(module.__name__, module.__module__, module.__base__, module.__basicsize__, dir(module))
    for name, member in sorted(vars(module).items()):
        print("   ", name, type(member).__name__, getattr(member, "__text_signature__", None))
print([name for name in dir(__import__("_datetime"))])
