/* The module: its state, and what it holds. */
#include "native.h"

static int fill_state(PyObject *module, native_state *state)
{
    for (int number = 0; number < 256; number++)
        if ((state->numbers[number] = PyLong_FromLong(number)) == NULL)
            return -1;
    state->format_error = native_import("framelink.errors", "FormatError");
    state->default_format = native_import("framelink.wire.format", "DEFAULT_FORMAT");
    state->addr = PyUnicode_InternFromString("addr");
    state->cmd = PyUnicode_InternFromString("cmd");
    if (!state->format_error || !state->default_format || !state->addr || !state->cmd)
        return -1;
    state->frame_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_frame_spec, NULL);
    state->engine_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_engine_spec, NULL);
    if (state->frame_type == NULL || state->engine_type == NULL)
        return -1;
    return native_frame_fill(state->frame_type);
}

static int module_exec(PyObject *module)
{
    native_state *state = PyModule_GetState(module);
    if (fill_state(module, state) < 0 || PyModule_AddType(module, state->frame_type) < 0)
        return -1;
    return PyModule_AddType(module, state->engine_type);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    native_state *state = PyModule_GetState(module);
    Py_VISIT(state->frame_type);
    Py_VISIT(state->engine_type);
    Py_VISIT(state->format_error);
    Py_VISIT(state->default_format);
    return 0;
}

static int module_clear(PyObject *module)
{
    native_state *state = PyModule_GetState(module);
    Py_CLEAR(state->frame_type);
    Py_CLEAR(state->engine_type);
    Py_CLEAR(state->format_error);
    Py_CLEAR(state->default_format);
    Py_CLEAR(state->addr);
    Py_CLEAR(state->cmd);
    return 0;
}

static void module_free(void *module)
{
    native_state *state = PyModule_GetState(module);
    (void)module_clear(module);
    for (int number = 0; number < 256; number++) /* not before: engines use them as long as there are any */
        Py_CLEAR(state->numbers[number]);
    native_pool_empty(&state->pool);
}

static PyMethodDef functions[] = {
    {"encode", (PyCFunction)(void (*)(void))native_encode, METH_FASTCALL | METH_KEYWORDS, native_encode_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

PyModuleDef native_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "framelink.wire._native",
    .m_doc = "Frames decoded and encoded by the C core; the default format only, Python does the others.",
    .m_size = sizeof(native_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__native(void);

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&native_module);
}
