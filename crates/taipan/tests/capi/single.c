/* Extension modules in one phase, declared by hand like extension.c: one that may be made again, one that
 * keeps its state outside of any object, and ones that break the rules. */
#include <stddef.h>
#include <stdint.h>

typedef intptr_t Py_ssize_t;
typedef struct { uint32_t refcnt; uint16_t overflow; uint16_t flags; void *type; } PyObject;
typedef struct { const char *name; void *meth; int flags; const char *doc; } PyMethodDef;
typedef struct { int slot; void *value; } Slot;
typedef struct {
    PyObject base; void *init; Py_ssize_t index; PyObject *copy;
    const char *name; const char *doc; Py_ssize_t size; PyMethodDef *methods; Slot *slots;
    void *traverse; void *clear; void *free;
} PyModuleDef;

PyObject *PyModuleDef_Init(PyModuleDef *);
PyObject *PyModule_Create2(PyModuleDef *, int);
PyObject *PyLong_FromLong(long);
PyObject *PyObject_CallOneArg(PyObject *, PyObject *);
void PyErr_SetString(PyObject *, const char *);
extern PyObject *PyExc_ValueError;
int PyModule_AddIntConstant(PyObject *, const char *, long);

static long made;
static PyObject *times(PyObject *self, PyObject *unused) { return PyLong_FromLong(made); }
static PyMethodDef methods[] = {{"times", times, 4, NULL}, {NULL}};

static PyModuleDef single = {.base = {1, 0, 0, NULL}, .name = "single", .doc = "One phase.", .size = -1, .methods = methods};
PyObject *PyInit_single(void) {
    PyObject *module = PyModule_Create2(&single, 1013);
    if (module) PyModule_AddIntConstant(module, "made", ++made);
    return module;
}

/* Rules broken: nothing raised, something raised, no module. */
PyObject *PyInit_quiet(void) { return NULL; }
PyObject *PyInit_loud(void) { PyErr_SetString(PyExc_ValueError, "loud"); return NULL; }
PyObject *PyInit_leftover(void) {
    PyObject *module = PyModule_Create2(&single, 1013);
    PyErr_SetString(PyExc_ValueError, "left over");
    return module;
}
PyObject *PyInit_number(void) { return PyLong_FromLong(1000000); }

static Slot unknown_slots[] = {{77, NULL}, {0, NULL}};
static PyModuleDef unknown = {.base = {1, 0, 0, NULL}, .name = "unknown", .slots = unknown_slots};
PyObject *PyInit_unknown(void) { return PyModuleDef_Init(&unknown); }

static int failing_exec(PyObject *module) { return -1; }
static Slot failing_slots[] = {{2, failing_exec}, {0, NULL}};
static PyModuleDef failing = {.base = {1, 0, 0, NULL}, .name = "failing", .slots = failing_slots};
PyObject *PyInit_failing(void) { return PyModuleDef_Init(&failing); }

static PyObject *odd_create(PyObject *spec, PyModuleDef *def) { return PyLong_FromLong(7000000); }
static Slot odd_slots[] = {{1, odd_create}, {0, NULL}};
static PyModuleDef odd = {.base = {1, 0, 0, NULL}, .name = "odd", .slots = odd_slots};
PyObject *PyInit_odd(void) { return PyModuleDef_Init(&odd); }
