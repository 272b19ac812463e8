/* An extension module of our own, written against declarations of the public C interface. It has no
 * CPython header: what it needs is declared here by hand, so that the test runs wherever a C compiler is. */
#include <stddef.h>
#include <stdint.h>

typedef intptr_t Py_ssize_t;
typedef struct PyTypeObject PyTypeObject;
typedef struct { uint32_t refcnt; uint16_t overflow; uint16_t flags; PyTypeObject *type; } PyObject;
typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);
typedef struct { const char *name; void *meth; int flags; const char *doc; } PyMethodDef;
typedef struct { int slot; void *value; } Slot;
typedef struct { const char *name; int basicsize; int itemsize; unsigned flags; Slot *slots; } PyType_Spec;
typedef struct { const char *name; int type; Py_ssize_t offset; int flags; const char *doc; } PyMemberDef;
typedef struct {
    void *buf; PyObject *obj; Py_ssize_t len, itemsize; int readonly, ndim; const char *format;
    Py_ssize_t *shape, *strides, *suboffsets; void *internal;
} Py_buffer;
typedef struct {
    PyObject base; void *init; Py_ssize_t index; PyObject *copy;
    const char *name; const char *doc; Py_ssize_t size; PyMethodDef *methods; Slot *slots;
    int (*traverse)(PyObject *, int (*)(PyObject *, void *), void *); int (*clear)(PyObject *); void (*free)(void *);
} PyModuleDef;

#define METH_VARARGS 1
#define METH_KEYWORDS 2
#define METH_NOARGS 4
#define METH_O 8
#define METH_FASTCALL 128

extern PyObject _Py_NoneStruct;
extern PyObject *PyExc_ValueError, *PyExc_KeyError, *PyExc_TypeError;
extern PyTypeObject PyLong_Type;
PyObject *PyModuleDef_Init(PyModuleDef *);
void *PyModule_GetState(PyObject *);
int PyModule_AddObjectRef(PyObject *, const char *, PyObject *);
int PyModule_AddIntConstant(PyObject *, const char *, long);
PyObject *PyErr_NewException(const char *, PyObject *, PyObject *);
PyObject *PyErr_Format(PyObject *, const char *, ...);
void PyErr_SetString(PyObject *, const char *);
PyObject *PyErr_Occurred(void);
int PyErr_ExceptionMatches(PyObject *);
void PyErr_Clear(void);
int PyArg_ParseTuple(PyObject *, const char *, ...);
int PyArg_ParseTupleAndKeywords(PyObject *, PyObject *, const char *, char **, ...);
PyObject *Py_BuildValue(const char *, ...);
PyObject *PyUnicode_FromFormat(const char *, ...);
PyObject *PyLong_FromLong(long);
PyObject *PyLong_FromSsize_t(Py_ssize_t);
long PyLong_AsLong(PyObject *);
PyObject *PyFloat_FromDouble(double);
double PyFloat_AsDouble(PyObject *);
PyObject *PyType_FromModuleAndSpec(PyObject *, PyType_Spec *, PyObject *);
PyObject *PyType_GetModule(PyTypeObject *);
PyObject *PyType_GenericNew(PyTypeObject *, PyObject *, PyObject *);
int PyObject_GetBuffer(PyObject *, Py_buffer *, int);
int PyBuffer_FillInfo(Py_buffer *, PyObject *, void *, Py_ssize_t, int, int);
void PyBuffer_Release(Py_buffer *);
PyObject *PyObject_CallFunction(PyObject *, const char *, ...);
PyObject *PyObject_GetAttrString(PyObject *, const char *);
PyObject *PyObject_CallMethod(PyObject *, const char *, const char *, ...);
void PyObject_GC_UnTrack(void *);
void PyObject_GC_Del(void *);
void _Py_Dealloc(PyObject *);
void _Py_IncRef(PyObject *);
void _Py_DecRef(PyObject *);

/* What header code does inline. */
static void incref(PyObject *o) { if (o->refcnt < 0xC0000000u) o->refcnt++; }
static void decref(PyObject *o) { if ((int32_t)o->refcnt >= 0 && --o->refcnt == 0) _Py_Dealloc(o); }
static PyObject *none(void) { incref(&_Py_NoneStruct); return &_Py_NoneStruct; }

typedef struct { PyObject *error; PyObject *pair; long calls; } State;

/* ---- functions of each calling convention ---- */

static PyObject *count(PyObject *self, PyObject *unused) {
    State *state = PyModule_GetState(self);
    return PyLong_FromLong(++state->calls);
}
static PyObject *twice(PyObject *self, PyObject *arg) {
    long value = PyLong_AsLong(arg);
    if (value == -1 && PyErr_Occurred()) return NULL;
    return PyLong_FromLong(2 * value);
}
static PyObject *parsed(PyObject *self, PyObject *args) {
    const char *text; Py_ssize_t length; int number; double real = 0.5; PyObject *any = &_Py_NoneStruct;
    if (!PyArg_ParseTuple(args, "s#i|dO:parsed", &text, &length, &number, &real, &any)) return NULL;
    return Py_BuildValue("{s:(s#,n),s:i,s:d,s:[O]}", "text", text, length, length, "number", number,
                         "real", real, "any", any);
}
static PyObject *named(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"", "width", "flag", NULL};
    int first, width = 7, flag = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|i$p:named", names, &first, &width, &flag)) return NULL;
    return Py_BuildValue("iii", first, width, flag);
}
static PyObject *reversed(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 2) { PyErr_Format(PyExc_TypeError, "reversed() takes 2 arguments, not %zd", count); return NULL; }
    return Py_BuildValue("OO", args[1], args[0]);
}
static PyObject *formatted(PyObject *self, PyObject *arg) {
    return PyUnicode_FromFormat("%s|%5d|%-4d|%05x|%c|%R|%S|%.2s|%zd|%T|%%|%lu|%p", "text", 42, 7, 255, 0x20AC, arg, arg,
                                "cut", (Py_ssize_t)-9, arg, 18446744073709551615ul, (void *)0x10);
}
/* Many arguments of both classes: some of each go over the stack. */
static PyObject *many(PyObject *self, PyObject *unused) {
    return Py_BuildValue("(iiiiiiddddddddddiO)", 1, 2, 3, 4, 5, 6, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 7, self);
}

/* ---- exceptions in both directions ---- */

static PyObject *fail(PyObject *self, PyObject *arg) {
    State *state = PyModule_GetState(self);
    PyErr_Format(state->error, "failed with %R", arg);
    return NULL;
}
static PyObject *shield(PyObject *self, PyObject *arg) {
    PyObject *result = PyObject_CallFunction(arg, "is", 3, "x");
    if (result) return result;
    if (!PyErr_ExceptionMatches(PyExc_KeyError)) return NULL;
    PyErr_Clear();
    return none();
}

/* ---- buffers ---- */

static PyObject *total(PyObject *self, PyObject *arg) {
    Py_buffer view;
    if (PyObject_GetBuffer(arg, &view, 0) < 0) return NULL;
    long sum = 0;
    for (Py_ssize_t i = 0; i < view.len; i++) sum += ((unsigned char *)view.buf)[i];
    PyBuffer_Release(&view);
    return PyLong_FromLong(sum);
}

/* ---- a heap type with members, operators, a buffer and a cycle ---- */

typedef struct { PyObject head; double x, y; PyObject *link; unsigned char bytes[4]; } Pair;

static int pair_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"x", "y", NULL};
    Pair *pair = (Pair *)self;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "|dd:Pair", names, &pair->x, &pair->y) ? 0 : -1;
}
static int pair_traverse(PyObject *self, int (*visit)(PyObject *, void *), void *arg) {
    int result = visit((PyObject *)self->type, arg);
    if (!result && ((Pair *)self)->link) result = visit(((Pair *)self)->link, arg);
    return result;
}
static int pair_clear(PyObject *self) {
    PyObject *link = ((Pair *)self)->link;
    ((Pair *)self)->link = NULL;
    if (link) decref(link);
    return 0;
}
static void pair_dealloc(PyObject *self) {
    PyObject *type = (PyObject *)self->type;
    PyObject_GC_UnTrack(self);
    pair_clear(self);
    PyObject_GC_Del(self);
    decref(type);
}
static PyObject *pair_repr(PyObject *self) {
    Pair *pair = (Pair *)self;
    PyObject *x = PyFloat_FromDouble(pair->x), *y = PyFloat_FromDouble(pair->y);
    PyObject *text = PyUnicode_FromFormat("Pair(%R, %R)", x, y);
    decref(x);
    decref(y);
    return text;
}
static PyObject *pair_add(PyObject *a, PyObject *b) {
    if (a->type != b->type) { extern PyObject _Py_NotImplementedStruct; return &_Py_NotImplementedStruct; }
    return PyObject_CallFunction((PyObject *)a->type, "dd", ((Pair *)a)->x + ((Pair *)b)->x, ((Pair *)a)->y + ((Pair *)b)->y);
}
static Py_ssize_t pair_length(PyObject *self) { return 2; }
static PyObject *pair_item(PyObject *self, Py_ssize_t index) {
    extern PyObject *PyExc_IndexError;
    if (index < 0 || index > 1) { PyErr_SetString(PyExc_IndexError, "no such half"); return NULL; }
    return PyFloat_FromDouble(index ? ((Pair *)self)->y : ((Pair *)self)->x);
}
static PyObject *pair_swap(PyObject *self, PyObject *unused) {
    return PyObject_CallFunction((PyObject *)self->type, "dd", ((Pair *)self)->y, ((Pair *)self)->x);
}
static PyObject *pair_module(PyObject *self, PyObject *unused) {
    PyObject *module = PyType_GetModule(self->type);
    if (module) incref(module);
    return module;
}
static int pair_buffer(PyObject *self, Py_buffer *view, int flags) {
    return PyBuffer_FillInfo(view, self, ((Pair *)self)->bytes, 4, 0, flags);
}
static PyMethodDef pair_methods[] = {
    {"swap", pair_swap, METH_NOARGS, "swap($self, /)\n--\n\nThe halves the other way round."},
    {"module", pair_module, METH_NOARGS, NULL},
    {NULL},
};
static PyMemberDef pair_members[] = {
    {"x", 4, offsetof(Pair, x), 0, NULL},
    {"y", 4, offsetof(Pair, y), 1, NULL},
    {"link", 6, offsetof(Pair, link), 0, NULL},
    {NULL},
};
static Slot pair_slots[] = {
    {60, pair_init}, {65, PyType_GenericNew}, {52, pair_dealloc}, {71, pair_traverse}, {51, pair_clear}, {66, pair_repr},
    {7, pair_add}, {45, pair_length}, {44, pair_item}, {1, pair_buffer}, {64, pair_methods}, {72, pair_members},
    {56, "Pair(x=0.0, y=0.0)\n--\n\nTwo halves."}, {0, NULL},
};
static PyType_Spec pair_spec = {"extension.Pair", sizeof(Pair), 0, (1 << 10) | (1 << 14), pair_slots};

/* ---- the module ---- */

static int exec(PyObject *module) {
    State *state = PyModule_GetState(module);
    state->error = PyErr_NewException("extension.Error", PyExc_ValueError, NULL);
    if (!state->error || PyModule_AddObjectRef(module, "Error", state->error) < 0) return -1;
    state->pair = PyType_FromModuleAndSpec(module, &pair_spec, NULL);
    if (!state->pair || PyModule_AddObjectRef(module, "Pair", state->pair) < 0) return -1;
    return PyModule_AddIntConstant(module, "ANSWER", 42);
}
static int clear(PyObject *module) {
    State *state = PyModule_GetState(module);
    if (state->error) { PyObject *error = state->error; state->error = NULL; decref(error); }
    if (state->pair) { PyObject *pair = state->pair; state->pair = NULL; decref(pair); }
    return 0;
}
static int traverse(PyObject *module, int (*visit)(PyObject *, void *), void *arg) {
    State *state = PyModule_GetState(module);
    int result = state->error ? visit(state->error, arg) : 0;
    if (!result && state->pair) result = visit(state->pair, arg);
    return result;
}
static PyMethodDef methods[] = {
    {"count", count, METH_NOARGS, "Counts its calls."},
    {"twice", twice, METH_O, NULL},
    {"parsed", parsed, METH_VARARGS, NULL},
    {"named", named, METH_VARARGS | METH_KEYWORDS, NULL},
    {"reversed", reversed, METH_FASTCALL, NULL},
    {"formatted", formatted, METH_O, NULL},
    {"many", many, METH_NOARGS, NULL},
    {"fail", fail, METH_O, NULL},
    {"shield", shield, METH_O, NULL},
    {"total", total, METH_O, NULL},
    {NULL},
};
static Slot slots[] = {{2, exec}, {3, (void *)2}, {0, NULL}};
static PyModuleDef definition = {
    .base = {1, 0, 0, NULL}, .name = "extension", .doc = "A test.", .size = sizeof(State),
    .methods = methods, .slots = slots, .traverse = traverse, .clear = clear,
};
PyObject *PyInit_extension(void) { return PyModuleDef_Init(&definition); }
