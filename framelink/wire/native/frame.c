/* Frame: the value.  All that a tuple (addr, cmd, data) can do is done by one, made for the occasion. */
#include "native.h"

#include <stddef.h>
#include <structmember.h>

#define FIELDS 3
#define SHOWN_BYTES 16 /* as in frame.py */

/* --- Its memory ---------------------------------------------------------------------------------------- */

/* Tell whether a type is Frame itself and none that is derived from it, which Python can always change. */
static bool is_plain(PyTypeObject *type)
{
    return PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE);
}

/* Keep the memory of a frame for another one.  Returns whether there is room for it. */
static bool keep(native_pool *pool, native_frame *frame)
{
    Py_ssize_t steps = (Py_SIZE(frame) + NATIVE_STEP - 1) / NATIVE_STEP;
    if (steps >= NATIVE_SIZES || pool->count[steps] >= NATIVE_POOLED)
        return false;
    frame->addr = (PyObject *)pool->first[steps];
    pool->first[steps] = frame;
    pool->count[steps]++;
    return true;
}

static void frame_dealloc(PyObject *self)
{
    native_frame *frame = (native_frame *)self;
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(frame->addr);
    Py_XDECREF(frame->cmd);
    PyObject *module = is_plain(type) ? ((PyHeapTypeObject *)type)->ht_module : NULL;
    if (module == NULL || !keep(&((native_state *)PyModule_GetState(module))->pool, frame))
        type->tp_free(self);
    Py_DECREF(type);
}

void native_pool_empty(native_pool *pool)
{
    for (int steps = 0; steps < NATIVE_SIZES; steps++)
        for (native_frame *next; pool->first[steps] != NULL; pool->first[steps] = next) {
            next = (native_frame *)pool->first[steps]->addr;
            PyObject_Free(pool->first[steps]);
        }
}

/* --- Making one of Python's values --------------------------------------------------------------------- */

/* Return a byte's value, or -1 with a FormatError set. */
static int byte_of(native_state *state, PyObject *name, PyObject *value)
{
    int overflow = 0;
    long number = PyLong_Check(value) ? PyLong_AsLongAndOverflow(value, &overflow) : -1;
    if (!overflow && number >= 0 && number <= 0xFF)
        return (int)number;
    if (!PyErr_Occurred())
        PyErr_Format(state->format_error, "%U must be an integer from 0 to 255, not %R", name, value);
    return -1;
}

/* Return a bytes object with the data, or NULL with an exception set. */
static PyObject *bytes_of(native_state *state, PyObject *data)
{
    if (PyBytes_Check(data) || PyByteArray_Check(data) || PyMemoryView_Check(data))
        return PyBytes_FromObject(data); /* the parts of a memoryview need not lie side by side */
    PyObject *kind = PyType_GetName(Py_TYPE(data));
    if (kind != NULL)
        PyErr_Format(state->format_error, "data must be bytes, not %U", kind);
    Py_XDECREF(kind);
    return NULL;
}

static native_frame *allocate(native_state *state, PyTypeObject *type, uint8_t addr, uint8_t cmd,
                              Py_ssize_t size)
{
    if (is_plain(type))
        return native_frame_new(state, type, addr, cmd, size);
    native_frame *self = (native_frame *)type->tp_alloc(type, size);
    if (self == NULL)
        return NULL;
    self->addr = Py_NewRef(state->numbers[addr]);
    self->cmd = Py_NewRef(state->numbers[cmd]);
    return self;
}

/* Make a frame of values that may be wrong, or NULL for those that are not given. */
static PyObject *make(PyTypeObject *type, PyObject *addr, PyObject *cmd, PyObject *data)
{
    native_state *state = native_state_of(type);
    int addr_byte = state == NULL ? -1 : addr == NULL ? 0 : byte_of(state, state->addr, addr);
    int cmd_byte = addr_byte < 0 ? -1 : cmd == NULL ? 0 : byte_of(state, state->cmd, cmd);
    if (cmd_byte < 0)
        return NULL;
    PyObject *bytes = data == NULL ? NULL : bytes_of(state, data);
    if (data != NULL && bytes == NULL)
        return NULL;
    Py_ssize_t size = bytes == NULL ? 0 : PyBytes_GET_SIZE(bytes);
    native_frame *self = allocate(state, type, (uint8_t)addr_byte, (uint8_t)cmd_byte, size);
    if (self != NULL && size > 0)
        memcpy(self->data, PyBytes_AS_STRING(bytes), (size_t)size);
    Py_XDECREF(bytes);
    return (PyObject *)self;
}

static PyObject *frame_new(PyTypeObject *type, PyObject *arguments, PyObject *named)
{
    static char *names[] = {"addr", "cmd", "data", NULL};
    PyObject *addr = NULL, *cmd = NULL, *data = NULL;
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "|OOO:Frame", names, &addr, &cmd, &data))
        return NULL;
    return make(type, addr, cmd, data);
}

PyDoc_STRVAR(make_doc, "_make($type, fields, /)\n--\n\nMake a frame of the tuple (addr, cmd, data).");

static PyObject *frame_make(PyObject *type, PyObject *fields)
{
    PyObject *given = PySequence_Tuple(fields), *made = NULL;
    if (given == NULL)
        return NULL;
    if (PyTuple_GET_SIZE(given) == FIELDS)
        made = make((PyTypeObject *)type, PyTuple_GET_ITEM(given, 0), PyTuple_GET_ITEM(given, 1),
                    PyTuple_GET_ITEM(given, 2));
    else
        PyErr_Format(PyExc_TypeError, "expected %d fields, got %zd", FIELDS, PyTuple_GET_SIZE(given));
    Py_DECREF(given);
    return made;
}

/* --- What it shows ------------------------------------------------------------------------------------- */

static PyObject *data_of(native_frame *self)
{
    return PyBytes_FromStringAndSize((const char *)self->data, Py_SIZE(self));
}

static PyObject *get_data(PyObject *self, void *Py_UNUSED(closure))
{
    return data_of((native_frame *)self);
}

static PyObject *as_tuple(PyObject *self)
{
    native_frame *frame = (native_frame *)self;
    PyObject *data = data_of(frame);
    PyObject *fields = data == NULL ? NULL : PyTuple_Pack(FIELDS, frame->addr, frame->cmd, data);
    Py_XDECREF(data);
    return fields;
}

static PyObject *frame_repr(PyObject *self)
{
    static const char digits[] = "0123456789abcdef";
    const native_frame *frame = (const native_frame *)self;
    char shown[SHOWN_BYTES * 3 + 1] = "", more[64] = "", *out = shown;
    for (Py_ssize_t at = 0; at < Py_SIZE(self) && at < SHOWN_BYTES; at++) {
        if (at > 0)
            *out++ = ' ';
        *out++ = digits[frame->data[at] >> 4];
        *out++ = digits[frame->data[at] & 15];
    }
    *out = '\0';
    long long rest = (long long)Py_SIZE(self) - SHOWN_BYTES;
    if (rest > 0)
        PyOS_snprintf(more, sizeof more, " \xE2\x80\xA6 +%lld bytes", rest);
    char head[64];
    int addr = native_byte(frame->addr), cmd = native_byte(frame->cmd);
    PyOS_snprintf(head, sizeof head, "addr=0x%02X, cmd=0x%02X", addr, cmd);
    return PyUnicode_FromFormat("Frame(%s, data=[%s%s])", head, shown, more);
}

/* --- What a tuple does --------------------------------------------------------------------------------- */

static Py_hash_t frame_hash(PyObject *self)
{
    PyObject *fields = as_tuple(self);
    Py_hash_t hash = fields == NULL ? -1 : PyObject_Hash(fields);
    Py_XDECREF(fields);
    return hash;
}

static bool equals(const native_frame *one, const native_frame *other)
{
    return native_byte(one->addr) == native_byte(other->addr) &&
           native_byte(one->cmd) == native_byte(other->cmd) && Py_SIZE(one) == Py_SIZE(other) &&
           memcmp(one->data, other->data, (size_t)Py_SIZE(one)) == 0;
}

/* Return the tuple to compare with: a frame's, the value itself if it is one, or NULL for anything else. */
static PyObject *comparable(PyObject *self, PyObject *other)
{
    native_state *state = native_state_of(Py_TYPE(self));
    if (state != NULL && PyObject_TypeCheck(other, state->frame_type))
        return as_tuple(other);
    if (PyTuple_Check(other))
        return Py_NewRef(other);
    return NULL;
}

static PyObject *frame_compare(PyObject *self, PyObject *other, int how)
{
    if (Py_TYPE(self) == Py_TYPE(other) && (how == Py_EQ || how == Py_NE))
        return PyBool_FromLong(equals((native_frame *)self, (native_frame *)other) == (how == Py_EQ));
    PyObject *theirs = comparable(self, other);
    if (theirs == NULL) {
        if (PyErr_Occurred())
            return NULL;
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *ours = as_tuple(self);
    PyObject *result = ours == NULL ? NULL : PyObject_RichCompare(ours, theirs, how);
    Py_XDECREF(ours);
    Py_DECREF(theirs);
    return result;
}

static PyObject *frame_iter(PyObject *self)
{
    PyObject *fields = as_tuple(self);
    PyObject *iterator = fields == NULL ? NULL : PyObject_GetIter(fields);
    Py_XDECREF(fields);
    return iterator;
}

static Py_ssize_t frame_length(PyObject *Py_UNUSED(self))
{
    return FIELDS;
}

static PyObject *frame_item(PyObject *self, PyObject *key)
{
    PyObject *fields = as_tuple(self);
    PyObject *item = fields == NULL ? NULL : PyObject_GetItem(fields, key);
    Py_XDECREF(fields);
    return item;
}

static PyObject *frame_item_at(PyObject *self, Py_ssize_t at)
{
    PyObject *fields = as_tuple(self);
    PyObject *item = fields == NULL ? NULL : PySequence_GetItem(fields, at);
    Py_XDECREF(fields);
    return item;
}

PyDoc_STRVAR(count_doc, "count($self, value, /)\n--\n\nReturn how many fields have that value.");

static PyObject *frame_count(PyObject *self, PyObject *value)
{
    PyObject *fields = as_tuple(self);
    PyObject *count = fields == NULL ? NULL : PyObject_CallMethod(fields, "count", "O", value);
    Py_XDECREF(fields);
    return count;
}

PyDoc_STRVAR(index_doc, "index($self, value, start=0, stop=3, /)\n--\n\n"
                        "Return where the first field with that value stands.");

static PyObject *frame_index(PyObject *self, PyObject *arguments)
{
    PyObject *fields = as_tuple(self);
    PyObject *index = fields == NULL ? NULL : PyObject_GetAttrString(fields, "index");
    PyObject *found = index == NULL ? NULL : PyObject_CallObject(index, arguments);
    Py_XDECREF(index);
    Py_XDECREF(fields);
    return found;
}

/* --- What a named tuple does --------------------------------------------------------------------------- */

PyDoc_STRVAR(asdict_doc, "_asdict($self, /)\n--\n\nReturn a dict of the fields.");

static PyObject *frame_asdict(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    native_frame *frame = (native_frame *)self;
    return Py_BuildValue("{sOsOsN}", "addr", frame->addr, "cmd", frame->cmd, "data", data_of(frame));
}

PyDoc_STRVAR(replace_doc, "_replace($self, /, **changes)\n--\n\n"
                          "Return a frame with other values in some fields, which are checked.");

static PyObject *frame_replace(PyObject *self, PyObject *arguments, PyObject *changes)
{
    PyObject *fields = frame_asdict(self, NULL), *made = NULL;
    if (fields != NULL && (changes == NULL || PyDict_Update(fields, changes) == 0))
        made = PyObject_Call((PyObject *)Py_TYPE(self), arguments, fields);
    Py_XDECREF(fields);
    return made;
}

/* Pickles and copies name the type and its arguments, as those of the Python Frame do. */
static PyObject *frame_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *attributes = PyObject_GetAttrString(self, "__dict__"); /* a subclass may have one */
    if (attributes == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return NULL;
        PyErr_Clear();
        attributes = Py_NewRef(Py_None);
    }
    return Py_BuildValue("(ONN)", Py_TYPE(self), as_tuple(self), attributes);
}

static PyMethodDef methods[] = {
    {"count", frame_count, METH_O, count_doc},
    {"index", frame_index, METH_VARARGS, index_doc},
    {"_make", frame_make, METH_O | METH_CLASS, make_doc},
    {"_asdict", frame_asdict, METH_NOARGS, asdict_doc},
    {"_replace", (PyCFunction)(void (*)(void))frame_replace, METH_VARARGS | METH_KEYWORDS, replace_doc},
    {"__replace__", (PyCFunction)(void (*)(void))frame_replace, METH_VARARGS | METH_KEYWORDS, replace_doc},
    {"__reduce__", frame_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"addr", T_OBJECT_EX, offsetof(native_frame, addr), READONLY,
     "Device address, 0 to 255; the device's own in both directions."},
    {"cmd", T_OBJECT_EX, offsetof(native_frame, cmd), READONLY, "Command, 0 to 255."},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"data", get_data, NULL, "Payload bytes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(frame_doc, "Frame(addr=0, cmd=0, data=b'')\n--\n\n"
                        "One frame's content: immutable, hashable, cheap.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)frame_doc},
    {Py_tp_new, (void *)frame_new},
    {Py_tp_dealloc, (void *)frame_dealloc},
    {Py_tp_repr, (void *)frame_repr},
    {Py_tp_hash, (void *)frame_hash},
    {Py_tp_richcompare, (void *)frame_compare},
    {Py_tp_iter, (void *)frame_iter},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, attributes},
    {Py_sq_length, (void *)frame_length},
    {Py_sq_item, (void *)frame_item_at},
    {Py_mp_length, (void *)frame_length},
    {Py_mp_subscript, (void *)frame_item},
    {0, NULL},
};

PyType_Spec native_frame_spec = {
    .name = "framelink.wire.frame.Frame",
    .basicsize = offsetof(native_frame, data),
    .itemsize = 1,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_SEQUENCE,
    .slots = slots,
};

int native_frame_fill(PyTypeObject *type)
{
    PyObject *fields = Py_BuildValue("(sss)", "addr", "cmd", "data");
    int failed = fields == NULL || PyDict_SetItemString(type->tp_dict, "__match_args__", fields) < 0 ||
                 PyDict_SetItemString(type->tp_dict, "_fields", fields) < 0;
    Py_XDECREF(fields);
    PyType_Modified(type);
    return failed ? -1 : 0;
}
