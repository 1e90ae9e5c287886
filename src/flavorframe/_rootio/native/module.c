/* The module: its functions, its state, and how it is initialised (PEP 489). */
#include "native.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Switch between the system's libraries and the Python packages. Calls that are under way go on with
 * what they began with. */
static PyObject *system_codecs(PyObject *module, PyObject *use)
{
    ModuleState *state = PyModule_GetState(module);
    int system = PyObject_IsTrue(use);
    if (system < 0)
        return NULL;
    state->in_use = system ? &state->found : &state->none;
    return system_codecs_found(state->in_use);
}

/* Arrays of a partition take some megabytes, and come and go by the hundred: by default the GNU C
 * library gives such memory back to the system at once, and takes the next page by page, which costs
 * more than to fill it. */
static PyObject *keep_freed_memory(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(arguments))
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"read", native_read, METH_VARARGS,
     "read(source, baskets, rows, kind, itemsize, length, header, room, fallback, sizes, ends): "
     "values, number of distinct lists, seconds reading, decompressing and decoding, "
     "bytes fetched."},
    {"decompress", native_decompress, METH_VARARGS,
     "decompress(block, size, fallback): the bytes that a block holds."},
    {"system_codecs", system_codecs, METH_O,
     "system_codecs(use): use the system's decompressors, or the Python packages; which of the "
     "former are in use."},
    {"keep_freed_memory", keep_freed_memory, METH_NOARGS,
     "keep_freed_memory(): have the C library of this process keep memory that was freed."},
    {"spread", native_spread, METH_VARARGS,
     "spread(counts, out): write number i as often as counts[i] says."},
    {"ranges", native_ranges, METH_VARARGS,
     "ranges(starts, counts, out): write counts[i] numbers from starts[i] on."},
    {"places", native_places, METH_VARARGS,
     "places(known, wanted, out): write where each wanted number stands among known ones, or -1."},
    {"first_match", native_first_match, METH_VARARGS,
     "first_match(kinds, arrays, starts, counts, found, number): write which of its targets each "
     "element equals first, or -1, and how many."},
    {"best", native_best, METH_VARARGS,
     "best(values, first, largest, out): write where each event's extreme value is."},
    {"sift", native_sift, METH_VARARGS,
     "sift(tables, cuts, joined, alive, rows): leave alive what each table that cuts lets live; "
     "how many tables it took."},
    {NULL, NULL, 0, NULL},
};

static int initialise(PyObject *module)
{
    ModuleState *state = PyModule_GetState(module);
    system_codecs_open(&state->found);
    state->in_use = &state->found;
    return 0;
}

static void release(void *module)
{
    ModuleState *state = PyModule_GetState(module);
    if (state)
        system_codecs_close(&state->found);
}

/* There is no slot Py_mod_gil: without Python's lock, `in_use` could change while it is read. */
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)initialise},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_doc = "From the baskets of a TTree to flat arrays, and loops over the lists of events.",
    .m_size = sizeof(ModuleState),
    .m_methods = methods,
    .m_slots = slots,
    .m_free = release,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
