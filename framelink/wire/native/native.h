/* framelink.wire._native, the C core under Python: what the parts of the extension know of each other. */
#ifndef FL_NATIVE_H
#define FL_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#include "fl_feed.h"

/* A Frame: one piece of memory with the payload inside, no part of garbage collection.  Address and command
 * are objects, since the interpreter reads those fastest; `.data` is made when somebody asks for it. */
typedef struct native_frame {
    PyObject_VAR_HEAD /* its size: the bytes of data */
    PyObject *addr;
    PyObject *cmd;
    uint8_t data[]; /* room for a number of bytes that NATIVE_STEP divides */
} native_frame;

#define NATIVE_STEP 16
#define NATIVE_SIZES (FL_MAX_DATA / NATIVE_STEP + 2) /* of room for the data of frames that the core gives */
#define NATIVE_POOLED 256U                            /* frames of each size: most of those of a 4 KiB read */

/* Memory of frames that are gone, for those to come; it saves a frame a sixth of its time. */
typedef struct native_pool {
    native_frame *first[NATIVE_SIZES]; /* the next one is where the address was */
    unsigned count[NATIVE_SIZES];
} native_pool;

/* What belongs to the module of one interpreter. */
typedef struct native_state {
    PyTypeObject *frame_type;
    PyTypeObject *engine_type;
    PyObject *format_error;   /* framelink.errors.FormatError */
    PyObject *default_format; /* framelink.wire.format.DEFAULT_FORMAT, which the core is compiled for */
    PyObject *addr, *cmd;     /* the fields' names, for error messages */
    PyObject *numbers[256];   /* 0 to 255: a look-up saves a frame 2 ns */
    native_pool pool;
} native_state;

extern PyModuleDef native_module;
extern PyType_Spec native_frame_spec;
extern PyType_Spec native_engine_spec;

/* Add what a type's dictionary holds beside its methods.  Returns 0, or -1 with an exception set. */
int native_frame_fill(PyTypeObject *type);

/* `encode(frame, format=DEFAULT_FORMAT)`. */
PyObject *native_encode(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names);
extern const char native_encode_doc[];

/* Make a frame whose data are still to be filled in.  `type` is the state's frame type.
 *
 * Returns NULL with an exception set if there is no memory. */
static inline native_frame *native_frame_new(native_state *state, PyTypeObject *type, uint8_t addr,
                                             uint8_t cmd, Py_ssize_t size)
{
    Py_ssize_t steps = (size + NATIVE_STEP - 1) / NATIVE_STEP;
    native_pool *pool = &state->pool;
    native_frame *self = steps < NATIVE_SIZES ? pool->first[steps] : NULL;
    if (self != NULL) {
        pool->first[steps] = (native_frame *)self->addr;
        pool->count[steps]--;
        (void)PyObject_InitVar((PyVarObject *)self, type, size);
    } else {
        self = PyObject_NewVar(native_frame, type, steps * NATIVE_STEP);
        if (self == NULL)
            return NULL;
        Py_SET_SIZE(self, size);
    }
    self->addr = Py_NewRef(state->numbers[addr]);
    self->cmd = Py_NewRef(state->numbers[cmd]);
    return self;
}

/* Give the memory of frames that are gone back. */
void native_pool_empty(native_pool *pool);

/* Return the value of an address or a command. */
static inline uint8_t native_byte(PyObject *number)
{
    return (uint8_t)PyLong_AsLong(number);
}

/* Return the state of the module that a type, or one that it derives from, belongs to; NULL with an exception
 * set. */
static inline native_state *native_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &native_module);
    return module == NULL ? NULL : (native_state *)PyModule_GetState(module);
}

/* Return an attribute of one of framelink's modules; a new reference, or NULL with an exception set. */
static inline PyObject *native_import(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *found = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    return found;
}

#endif
