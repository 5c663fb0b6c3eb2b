/* Frame to bytes. */
#include "native.h"

const char native_encode_doc[] =
    "encode(frame, format=DEFAULT_FORMAT)\n\n"
    "Return the frame's bytes on the wire.\n\n"
    "Args:\n"
    "    frame: What to send.\n"
    "    format: The device's variant of the frame.\n\n"
    "Raises:\n"
    "    FormatError: The format cannot carry this frame: data too long or of an illegal length for the\n"
    "        command, or an address or command where the format has no such field.";

/* Let Python do what the core cannot: another format, another kind of frame, an error to explain. */
static PyObject *encode_in_python(PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    PyObject *encode = native_import("framelink.wire.codec", "python_encode");
    PyObject *wire = encode == NULL ? NULL : PyObject_Vectorcall(encode, arguments, (size_t)count, names);
    Py_XDECREF(encode);
    return wire;
}

PyObject *native_encode(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    native_state *state = PyModule_GetState(module);
    bool plain = names == NULL && (count == 1 || (count == 2 && arguments[1] == state->default_format));
    if (!plain || !PyObject_TypeCheck(arguments[0], state->frame_type))
        return encode_in_python(arguments, count, names);
    native_frame *frame = (native_frame *)arguments[0];
    size_t size = (size_t)Py_SIZE(frame), whole = FL_OVERHEAD + size;
    PyObject *wire = size > FL_MAX_DATA ? NULL : PyBytes_FromStringAndSize(NULL, (Py_ssize_t)whole);
    if (wire == NULL)
        return PyErr_Occurred() ? NULL : encode_in_python(arguments, count, names);
    uint8_t *out = (uint8_t *)PyBytes_AS_STRING(wire);
    if (fl_encode(out, whole, native_byte(frame->addr), native_byte(frame->cmd), frame->data, size) == whole)
        return wire;
    Py_DECREF(wire);
    return encode_in_python(arguments, count, names);
}
