/* Engine: the receiver.  The core finds the frames of the format that it is compiled for; for any other one a
 * Python engine stands in. */
#include "native.h"

#define BATCH 512U            /* frames a call of the core: more than a read of 4 KiB can hold */
#define COUNTABLE (1UL << 31) /* bytes that the core's ledger, which is modulo 2^32, is asked to count */

typedef struct native_engine {
    PyObject_HEAD
    native_state *state; /* the type keeps the module alive */
    PyTypeObject *frame_type;
    PyObject *format;
    PyObject *stand_in; /* a Python engine, or NULL */
    PyObject *offsets;  /* of the last call's frames: a list, or NULL before there is one */
    bool locate;
    uint64_t delivered; /* as in the core's ledger, but without end */
    uint64_t count[FL_COUNTS];
    fl_receiver receiver;
} native_engine;

/* --- Its life ------------------------------------------------------------------------------------------ */

static PyObject *engine_new(PyTypeObject *type, PyObject *Py_UNUSED(arguments), PyObject *Py_UNUSED(named))
{
    native_state *state = native_state_of(type);
    native_engine *self = state == NULL ? NULL : (native_engine *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    fl_receiver_init(&self->receiver);
    self->frame_type = (PyTypeObject *)Py_NewRef(state->frame_type);
    self->state = state;
    self->format = Py_NewRef(state->default_format);
    return (PyObject *)self;
}

/* Make the engine that stands in for another format, none for the core's own; tell whether that worked. */
static bool find_stand_in(native_engine *self, native_state *state, bool locate)
{
    int own = PyObject_RichCompareBool(self->format, state->default_format, Py_EQ);
    if (own != 0)
        return own > 0;
    PyObject *kind = native_import("framelink.wire.python_engine", "PythonEngine");
    if (kind == NULL)
        return false;
    PyObject *named = Py_BuildValue("{sOsO}", "format", self->format, "locate", locate ? Py_True : Py_False);
    PyObject *nothing = PyTuple_New(0);
    if (named != NULL && nothing != NULL)
        self->stand_in = PyObject_Call(kind, nothing, named);
    Py_XDECREF(named);
    Py_XDECREF(nothing);
    Py_DECREF(kind);
    return self->stand_in != NULL;
}

static int engine_init(PyObject *object, PyObject *arguments, PyObject *named)
{
    static char *names[] = {"format", "locate", NULL};
    native_engine *self = (native_engine *)object;
    native_state *state = native_state_of(Py_TYPE(object));
    if (state == NULL)
        return -1;
    PyObject *format = state->default_format;
    int locate = 0;
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "|O$p:Receiver", names, &format, &locate))
        return -1;
    Py_XSETREF(self->format, Py_NewRef(format));
    Py_CLEAR(self->stand_in);
    Py_CLEAR(self->offsets);
    self->locate = locate;
    return find_stand_in(self, state, locate) ? 0 : -1;
}

static int engine_traverse(PyObject *object, visitproc visit, void *arg)
{
    native_engine *self = (native_engine *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->frame_type);
    Py_VISIT(self->format);
    Py_VISIT(self->stand_in);
    Py_VISIT(self->offsets);
    return 0;
}

static int engine_clear(PyObject *object)
{
    native_engine *self = (native_engine *)object;
    Py_CLEAR(self->stand_in);
    Py_CLEAR(self->offsets);
    return 0;
}

static void engine_dealloc(PyObject *object)
{
    native_engine *self = (native_engine *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    (void)engine_clear(object);
    Py_XDECREF(self->frame_type);
    Py_XDECREF(self->format);
    type->tp_free(object);
    Py_DECREF(type);
}

/* --- Its account --------------------------------------------------------------------------------------- */

/* Move what the core has counted into numbers that do not overflow. */
static void settle_counts(native_engine *self)
{
    fl_ledger *ledger = &self->receiver.ledger;
    for (int what = 0; what < FL_COUNTS; what++)
        self->count[what] += ledger->count[what];
    self->delivered += ledger->delivered;
    *ledger = (fl_ledger){.delivered = 0};
}

static uint64_t received(const native_engine *self)
{
    uint64_t sum = self->delivered + fl_receiver_pending(&self->receiver);
    for (int reason = 0; reason < FL_REASONS; reason++)
        sum += self->count[reason];
    return sum;
}

/* --- Taking bytes -------------------------------------------------------------------------------------- */

/* What one call of feed or flush brings in.  It is no part of the engine, so that another call may come in
 * between, from what the collection of garbage runs. */
typedef struct harvest {
    const uint8_t *begin; /* of the bytes; NULL for those that the core holds already */
    uint64_t end;         /* of the bytes, in all that was fed */
    PyObject *offsets;    /* a list, or NULL if nobody asked for it */
    PyObject *list;       /* of frames, or NULL before the first are put there */
    size_t count;         /* of those that are not in the list yet */
    PyObject *frames[BATCH];
} harvest;

/* Begin a call.  Returns 0, or -1 with an exception set. */
static int begin(native_engine *self, harvest *crop)
{
    crop->begin = NULL;
    crop->end = received(self);
    crop->list = NULL;
    crop->count = 0;
    crop->offsets = self->locate ? PyList_New(0) : NULL;
    return self->locate && crop->offsets == NULL ? -1 : 0;
}

/* Put the frames in a list of the right size.  Returns 0, or -1 with an exception set. */
static int pack(harvest *crop)
{
    PyObject *list = PyList_New((Py_ssize_t)crop->count);
    if (list == NULL)
        return -1;
    for (size_t at = 0; at < crop->count; at++)
        PyList_SET_ITEM(list, (Py_ssize_t)at, crop->frames[at]);
    crop->count = 0;
    if (crop->list == NULL) {
        crop->list = list;
        return 0;
    }
    Py_ssize_t size = PyList_GET_SIZE(crop->list);
    int failed = PyList_SetSlice(crop->list, size, size, list);
    Py_DECREF(list);
    return failed;
}

/* End a call.  Returns its frames, or NULL with an exception set if something has failed. */
static PyObject *finish(native_engine *self, harvest *crop, int failed)
{
    if (!failed && (crop->count > 0 || crop->list == NULL))
        failed = pack(crop);
    while (crop->count > 0)
        Py_DECREF(crop->frames[--crop->count]);
    if (failed)
        Py_CLEAR(crop->list);
    if (crop->offsets != NULL)
        Py_XSETREF(self->offsets, crop->offsets);
    return crop->list;
}

/* Note where frames begin in all that was fed, of which the `rest` is still to come.
 *
 * They lie among the call's bytes, or one lies first among the bytes that the core holds, which are the last
 * before the rest.  Returns 0, or -1 with an exception set. */
static int locate(native_engine *self, harvest *crop, const fl_frame *found, size_t many,
                  const fl_block *rest)
{
    uint64_t upto = crop->end - rest->size;
    int failed = 0;
    for (size_t at = 0; at < many && !failed; at++) {
        const uint8_t *data = found[at].data;
        bool is_held = data < crop->begin || data >= rest->bytes;
        size_t back = is_held ? (size_t)fl_receiver_pending(&self->receiver) + FL_OVERHEAD + found[at].size
                              : FL_HEAD_SIZE + (size_t)(rest->bytes - data);
        PyObject *offset = PyLong_FromUnsignedLongLong(upto - back);
        failed = offset == NULL || PyList_Append(crop->offsets, offset) < 0;
        Py_XDECREF(offset);
    }
    return failed ? -1 : 0;
}

/* Make Frames of the core's.  Returns 0, or -1 with an exception set. */
static int gather(native_engine *self, harvest *crop, const fl_frame *found, size_t many,
                  const fl_block *rest)
{
    if (crop->offsets != NULL && locate(self, crop, found, many, rest) < 0)
        return -1;
    for (size_t at = 0; at < many; at++) {
        const fl_frame *one = &found[at];
        native_frame *frame = native_frame_new(self->state, self->frame_type, one->addr, one->cmd, one->size);
        if (frame == NULL)
            return -1;
        memcpy(frame->data, one->data, one->size);
        crop->frames[crop->count++] = (PyObject *)frame;
    }
    return crop->count == BATCH ? pack(crop) : 0;
}

/* Feed bytes, no more than can be counted.  Returns 0, or -1 with an exception set. */
static int take(native_engine *self, harvest *crop, const uint8_t *bytes, size_t size)
{
    fl_frame frames[BATCH];
    fl_block block = {bytes, size};
    size_t count;
    int failed = 0;
    crop->begin = bytes;
    crop->end += size;
    while (!failed && (count = fl_receiver_feed(&self->receiver, &block, frames, BATCH - crop->count)) > 0)
        failed = gather(self, crop, frames, count, &block);
    settle_counts(self);
    return failed;
}

static PyObject *feed_bytes(native_engine *self, const uint8_t *bytes, size_t size)
{
    harvest crop;
    int failed = begin(self, &crop);
    while (!failed && size > 0) {
        size_t piece = size < COUNTABLE ? size : COUNTABLE;
        failed = take(self, &crop, bytes, piece);
        bytes += piece;
        size -= piece;
    }
    return finish(self, &crop, failed);
}

static PyObject *feed_buffer(native_engine *self, PyObject *chunk)
{
    Py_buffer view;
    if (PyObject_GetBuffer(chunk, &view, PyBUF_FULL_RO) < 0)
        return NULL;
    PyObject *frames = NULL, *copy = NULL;
    if (PyBuffer_IsContiguous(&view, 'C'))
        frames = feed_bytes(self, view.buf, (size_t)view.len);
    else if ((copy = PyBytes_FromObject(chunk)) != NULL)
        frames = feed_bytes(self, (const uint8_t *)PyBytes_AS_STRING(copy), (size_t)PyBytes_GET_SIZE(copy));
    Py_XDECREF(copy);
    PyBuffer_Release(&view);
    return frames;
}

PyDoc_STRVAR(feed_doc,
             "feed($self, chunk, /)\n--\n\n"
             "Take the next bytes of the stream, in any split, and return the frames that they complete.\n\n"
             "Never raises on what the bytes are.");

static PyObject *engine_feed(PyObject *object, PyObject *chunk)
{
    native_engine *self = (native_engine *)object;
    if (self->stand_in != NULL)
        return PyObject_CallMethod(self->stand_in, "feed", "O", chunk);
    if (!PyBytes_CheckExact(chunk))
        return feed_buffer(self, chunk);
    return feed_bytes(self, (const uint8_t *)PyBytes_AS_STRING(chunk), (size_t)PyBytes_GET_SIZE(chunk));
}

PyDoc_STRVAR(flush_doc,
             "flush($self, /)\n--\n\n"
             "Tell that the line is silent: give the pending candidate up and rescan its bytes.\n\n"
             "Returns the frames that lay inside it.  Afterwards nothing is pending, since what lies behind\n"
             "the candidate was waiting just as long.");

static PyObject *engine_flush(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    native_engine *self = (native_engine *)object;
    if (self->stand_in != NULL)
        return PyObject_CallMethod(self->stand_in, "flush", NULL);
    harvest crop;
    int failed = begin(self, &crop);
    const fl_frame *frame;
    while (!failed && (frame = fl_receiver_idle(&self->receiver)) != NULL)
        failed = gather(self, &crop, frame, 1, &(fl_block){NULL, 0});
    settle_counts(self);
    return finish(self, &crop, failed);
}

/* --- What it shows ------------------------------------------------------------------------------------- */

static PyObject *get_format(PyObject *object, void *Py_UNUSED(closure))
{
    return Py_NewRef(((native_engine *)object)->format);
}

static PyObject *get_pending(PyObject *object, void *Py_UNUSED(closure))
{
    native_engine *self = (native_engine *)object;
    if (self->stand_in != NULL)
        return PyObject_GetAttrString(self->stand_in, "pending");
    return PyLong_FromLong(fl_receiver_pending(&self->receiver));
}

static PyObject *get_offsets(PyObject *object, void *Py_UNUSED(closure))
{
    native_engine *self = (native_engine *)object;
    if (self->stand_in != NULL)
        return PyObject_GetAttrString(self->stand_in, "offsets");
    return self->offsets == NULL ? PyList_New(0) : Py_NewRef(self->offsets);
}

static PyObject *get_place(PyObject *object, void *Py_UNUSED(closure))
{
    static const char *const places[] = {"header", "address", "command", "length", "data", "check", "tail"};
    native_engine *self = (native_engine *)object;
    if (self->stand_in != NULL)
        return PyObject_GetAttrString(self->stand_in, "_place");
    return PyUnicode_FromString(places[fl_receiver_state(&self->receiver)]);
}

static PyObject *get_counts(PyObject *object, void *Py_UNUSED(closure))
{
    native_engine *self = (native_engine *)object;
    if (self->stand_in != NULL)
        return PyObject_GetAttrString(self->stand_in, "_counts");
    const uint64_t *count = self->count;
    return Py_BuildValue("(KKKKKKKK)", received(self), self->delivered, count[FL_COUNT_FRAMES],
                         count[FL_COUNT_NOISE], count[FL_COUNT_LENGTH], count[FL_COUNT_TAIL],
                         count[FL_COUNT_CHECK], count[FL_COUNT_TIMEOUT]);
}

static PyMethodDef methods[] = {
    {"feed", engine_feed, METH_O, feed_doc},
    {"flush", engine_flush, METH_NOARGS, flush_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"format", get_format, NULL, "The variant of the frame.", NULL},
    {"pending", get_pending, NULL,
     "Bytes of the candidate that is still possible; less than one longest frame.", NULL},
    {"offsets", get_offsets, NULL,
     "For each frame of the last call, its header's offset in all that was fed; needs `locate`.", NULL},
    {"_place", get_place, NULL, "The value of the state.", NULL},
    {"_counts", get_counts, NULL, "Bytes received and delivered, frames, and noise by reason.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(engine_doc, "Engine(format=DEFAULT_FORMAT, *, locate=False)\n--\n\n"
                         "What finds the frames for a Receiver.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)engine_doc},
    {Py_tp_new, (void *)engine_new},
    {Py_tp_init, (void *)engine_init},
    {Py_tp_traverse, (void *)engine_traverse},
    {Py_tp_clear, (void *)engine_clear},
    {Py_tp_dealloc, (void *)engine_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {0, NULL},
};

PyType_Spec native_engine_spec = {
    .name = "framelink.wire._native.Engine",
    .basicsize = sizeof(native_engine),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
