/* Dates as C code uses them: the structs read in place, everything else through the capsule's table. */
#include <stddef.h>
#include <stdio.h>

typedef struct { unsigned refcount; unsigned rest; void *type; } Object;
typedef struct { Object head; long hash; char aware; unsigned char data[4]; } Date;
typedef struct { Object head; long hash; char aware; unsigned char data[6]; unsigned char fold; Object *zone; } Time;
typedef struct { Object head; long hash; char aware; unsigned char data[10]; unsigned char fold; Object *zone; } DateTime;
typedef struct { Object head; long hash; int days, seconds, micros; } Delta;

typedef struct {
    void *date_type, *datetime_type, *time_type, *delta_type, *tzinfo_type;
    Object *utc;
    Object *(*date)(int, int, int, void *);
    Object *(*datetime)(int, int, int, int, int, int, int, Object *, void *);
    Object *(*time)(int, int, int, int, Object *, void *);
    Object *(*delta)(int, int, int, int, void *);
    Object *(*timezone)(Object *, Object *);
    Object *(*datetime_from_timestamp)(void *, Object *, Object *);
    Object *(*date_from_timestamp)(void *, Object *);
    Object *(*datetime_and_fold)(int, int, int, int, int, int, int, Object *, int, void *);
    Object *(*time_and_fold)(int, int, int, int, Object *, int, void *);
} Api;

typedef struct { const char *name; Object *(*function)(Object *, Object *); int flags; const char *doc; } Method;
typedef struct {
    Object head; void *init; long index; void *copy;
    const char *name, *doc; long size; Method *methods; void *slots, *traverse, *clear, *free;
} Definition;

extern void *PyCapsule_Import(const char *, int);
extern int PyArg_ParseTuple(Object *, const char *, ...);
extern Object *Py_BuildValue(const char *, ...);
extern Object *PyModule_Create2(Definition *, int);
extern int PyType_IsSubtype(void *, void *);
extern Object _Py_NoneStruct;

static Api *api;

static int is(Object *object, void *type) { return PyType_IsSubtype(object->type, type); }

static const char *zone_of(char aware, Object *zone) {
    return !aware ? "naive" : zone == api->utc ? "utc" : "zoned";
}

/* What stands in an object. */
static Object *look(Object *module, Object *object) {
    (void)module;
    char text[200];
    if (is(object, api->datetime_type)) {
        DateTime *d = (DateTime *)object;
        snprintf(text, sizeof text, "datetime %d-%d-%d %d:%d:%d.%d fold %d %s", d->data[0] << 8 | d->data[1],
                 d->data[2], d->data[3], d->data[4], d->data[5], d->data[6],
                 d->data[7] << 16 | d->data[8] << 8 | d->data[9], d->fold, zone_of(d->aware, d->zone));
    } else if (is(object, api->date_type)) {
        Date *d = (Date *)object;
        snprintf(text, sizeof text, "date %d-%d-%d", d->data[0] << 8 | d->data[1], d->data[2], d->data[3]);
    } else if (is(object, api->time_type)) {
        Time *t = (Time *)object;
        snprintf(text, sizeof text, "time %d:%d:%d.%d fold %d %s", t->data[0], t->data[1], t->data[2],
                 t->data[3] << 16 | t->data[4] << 8 | t->data[5], t->fold, zone_of(t->aware, t->zone));
    } else if (is(object, api->delta_type)) {
        Delta *d = (Delta *)object;
        snprintf(text, sizeof text, "delta %d %d %d", d->days, d->seconds, d->micros);
    } else {
        snprintf(text, sizeof text, is(object, api->tzinfo_type) ? "zone" : "nothing of the kind");
    }
    return Py_BuildValue("s", text);
}

static Object *make_date(Object *module, Object *args) {
    (void)module;
    int y, m, d;
    Object *type = api->date_type;
    if (!PyArg_ParseTuple(args, "iii|O", &y, &m, &d, &type)) return NULL;
    return api->date(y, m, d, type);
}

static Object *make_datetime(Object *module, Object *args) {
    (void)module;
    int y, m, d, h, i, s, u, fold = -1;
    Object *zone = &_Py_NoneStruct, *type = api->datetime_type;
    if (!PyArg_ParseTuple(args, "iiiiiii|OiO", &y, &m, &d, &h, &i, &s, &u, &zone, &fold, &type)) return NULL;
    if (fold < 0) return api->datetime(y, m, d, h, i, s, u, zone, type);
    return api->datetime_and_fold(y, m, d, h, i, s, u, zone, fold, type);
}

static Object *make_time(Object *module, Object *args) {
    (void)module;
    int h, i, s, u, fold = -1;
    Object *zone = &_Py_NoneStruct, *type = api->time_type;
    if (!PyArg_ParseTuple(args, "iiii|OiO", &h, &i, &s, &u, &zone, &fold, &type)) return NULL;
    if (fold < 0) return api->time(h, i, s, u, zone, type);
    return api->time_and_fold(h, i, s, u, zone, fold, type);
}

static Object *make_delta(Object *module, Object *args) {
    (void)module;
    int d, s, u, normalize = 1;
    if (!PyArg_ParseTuple(args, "iii|i", &d, &s, &u, &normalize)) return NULL;
    return api->delta(d, s, u, normalize, api->delta_type);
}

static Object *make_zone(Object *module, Object *args) {
    (void)module;
    Object *offset, *name = NULL;
    if (!PyArg_ParseTuple(args, "O|O", &offset, &name)) return NULL;
    return api->timezone(offset, name);
}

static Object *from_timestamp(Object *module, Object *args) {
    (void)module;
    return api->datetime_from_timestamp(api->datetime_type, args, NULL);
}

static Object *date_from_timestamp(Object *module, Object *args) {
    (void)module;
    return api->date_from_timestamp(api->date_type, args);
}

static Object *types(Object *module, Object *args) {
    (void)module; (void)args;
    return Py_BuildValue("OOOOOO", api->date_type, api->datetime_type, api->time_type, api->delta_type,
                         api->tzinfo_type, api->utc);
}

static Method methods[] = {
    {"look", look, 8, NULL},
    {"date", make_date, 1, NULL},
    {"datetime", make_datetime, 1, NULL},
    {"time", make_time, 1, NULL},
    {"delta", make_delta, 1, NULL},
    {"zone", make_zone, 1, NULL},
    {"from_timestamp", from_timestamp, 1, NULL},
    {"date_from_timestamp", date_from_timestamp, 1, NULL},
    {"types", types, 4, NULL},
    {NULL, NULL, 0, NULL},
};

static Definition definition = {.head = {1, 0, NULL}, .name = "dates", .size = -1, .methods = methods};

Object *PyInit_dates(void) {
    api = PyCapsule_Import("datetime.datetime_CAPI", 0);
    if (api == NULL) return NULL;
    return PyModule_Create2(&definition, 1013);
}
