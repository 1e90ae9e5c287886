/* `read`, which goes through the baskets of a branch, and `decompress`, for a basket that is read
 * block by block; see ../tree/baskets.py and ../compressed_blocks.py. */
#include "native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { POSITION, BYTES, FIRST, END, COLUMNS };

/* Where bytes come from: a file of the system, or pieces that were fetched, one a basket. */
typedef struct {
    int file;
    PyObject *pieces; /* a tuple of objects with a buffer, where there is no file */
} Source;

/* Memory that is used again for each basket. */
typedef struct {
    uint8_t *bytes;
    int64_t size;
} Scratch;

typedef struct {
    Source source;
    Codecs codecs;
    Shape shape;
    Output output;
    Scratch raw, data;
    double reading, decompressing, decoding;
    int64_t fetched;
    PyThreadState *unlocked;
    Damage damage;
} Job;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static uint8_t *at_least(Scratch *scratch, int64_t size, Damage *damage)
{
    if (size > scratch->size) {
        free(scratch->bytes);
        scratch->bytes = malloc((size_t)size);
        scratch->size = scratch->bytes ? size : 0;
        if (!scratch->bytes)
            out_of_memory(damage);
    }
    return scratch->bytes;
}

/* Read from the file; fewer bytes come where it ends. Return their number, −1 for an error. */
static int64_t read_file(int file, uint8_t *to, int64_t size, int64_t position, Damage *damage)
{
    int64_t done = 0;
    while (done < size) {
        ssize_t got = pread(file, to + done, (size_t)(size - done), (off_t)(position + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return damaged(damage, "the system cannot read it: %s", strerror(errno)) - 1;
        if (got == 0)
            break;
        done += got;
    }
    return done;
}

static int read_basket(Job *job, const int64_t *basket, const uint8_t *bytes, int64_t length,
                       const int64_t *rows, int64_t count)
{
    Key key;
    double began = now();
    if (!read_key(bytes, length, basket[BYTES], &key, &job->damage))
        return 0;
    if (key.entries != basket[END] - basket[FIRST])
        return damaged(&job->damage, "it holds %lld events, and the tree says %lld",
                       (long long)key.entries, (long long)(basket[END] - basket[FIRST]));
    const uint8_t *blocks = bytes + key.header;
    int64_t compressed = basket[BYTES] - key.header;
    if (!blocks_fit(blocks, compressed, key.size, &job->damage))
        return 0;
    uint8_t *data = at_least(&job->data, key.size + 1, &job->damage);
    if (!data || !decompress(&job->codecs, blocks, compressed, data, key.size, &job->damage))
        return 0;
    double decompressed = now();
    int done = decode(data, &key, rows, count, basket[FIRST], job->shape, &job->output,
                      &job->damage);
    job->decompressing += decompressed - began;
    job->decoding += now() - decompressed;
    return done;
}

static int read_from_file(Job *job, const int64_t *basket, const int64_t *rows, int64_t count)
{
    double began = now();
    uint8_t *raw = at_least(&job->raw, basket[BYTES] + 1, &job->damage);
    int64_t got = raw ? read_file(job->source.file, raw, basket[BYTES], basket[POSITION],
                                  &job->damage)
                      : -1;
    job->reading += now() - began;
    return got >= 0 && read_basket(job, basket, raw, got, rows, count);
}

static int read_from_piece(Job *job, const int64_t *basket, int64_t number, const int64_t *rows,
                           int64_t count)
{
    Py_buffer piece;
    PyEval_RestoreThread(job->unlocked);
    int failed = PyObject_GetBuffer(PyTuple_GET_ITEM(job->source.pieces, number), &piece,
                                    PyBUF_SIMPLE);
    PyErr_Clear();
    job->unlocked = PyEval_SaveThread();
    if (failed)
        return damaged(&job->damage, "what was fetched of it are no bytes");
    int done = read_basket(job, basket, piece.buf, piece.len, rows, count);
    PyEval_RestoreThread(job->unlocked);
    PyBuffer_Release(&piece);
    job->unlocked = PyEval_SaveThread();
    return done;
}

/* Read the baskets in which a row lies; rows are in ascending order. Return 0 for damage. */
static int read_all(Job *job, const int64_t *baskets, int64_t number, const int64_t *rows,
                    int64_t wanted)
{
    int64_t place = 0;
    for (int64_t i = 0; i < number; i++) {
        const int64_t *basket = baskets + COLUMNS * i;
        int64_t begin = place;
        while (place < wanted && rows[place] >= basket[FIRST] && rows[place] < basket[END])
            place++;
        if (place == begin)
            continue;
        job->damage.basket = i;
        job->fetched += basket[BYTES];
        int done = job->source.pieces
                     ? read_from_piece(job, basket, i, rows + begin, place - begin)
                     : read_from_file(job, basket, rows + begin, place - begin);
        if (!done)
            return 0;
    }
    return place == wanted || damaged(&job->damage, "no basket holds event %lld of the partition",
                                      (long long)rows[place]);
}

static PyObject *result_of(Job *job, int done)
{
    if (!done && job->damage.no_memory)
        return PyErr_NoMemory();
    if (!done && PyErr_Occurred()) /* of the Python function that decompresses */
        return NULL;
    if (!done) {
        PyObject *kind = job->damage.unusual ? PyExc_NotImplementedError : PyExc_ValueError;
        const char *text = job->damage.text;
        PyObject *words = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
        PyObject *what = words ? Py_BuildValue("LN", (long long)job->damage.basket, words) : NULL;
        if (what)
            PyErr_SetObject(kind, what);
        Py_XDECREF(what);
        return NULL;
    }
    if (PyByteArray_Resize(job->output.values, job->output.length) < 0)
        return NULL;
    return Py_BuildValue("OLdddL", job->output.values, (long long)job->output.lists, job->reading,
                         job->decompressing, job->decoding, (long long)job->fetched);
}

static int source_from(PyObject *given, Source *source)
{
    source->pieces = PyTuple_Check(given) ? given : NULL;
    source->file = source->pieces ? -1 : (int)PyLong_AsLong(given);
    return !PyErr_Occurred();
}

static int lengths_fit(const Source *source, int64_t baskets, Shape shape, int64_t rows,
                       const Py_buffer *sizes, const Py_buffer *ends)
{
    int fits = !source->pieces || PyTuple_GET_SIZE(source->pieces) == baskets;
    fits = fits && (shape.kind == SCALARS || sizes->len / 8 >= rows);
    fits = fits && (shape.kind != STRINGS || ends->len / 8 >= rows);
    fits = fits && shape.header >= 0 && shape.length >= 0 && shape.length <= INT32_MAX
        && (shape.itemsize == 1 || shape.itemsize == 2 || shape.itemsize == 4
            || shape.itemsize == 8);
    if (!fits)
        PyErr_SetString(PyExc_TypeError, "read(): the arrays do not fit each other");
    return fits;
}

static const SystemCodecs *codecs_in_use(PyObject *module)
{
    const ModuleState *state = PyModule_GetState(module);
    return state->in_use;
}

PyObject *native_read(PyObject *module, PyObject *arguments)
{
    PyObject *given, *fallback;
    Py_buffer table, rows, sizes, ends;
    long long itemsize, length, header, room;
    int kind;
    if (!PyArg_ParseTuple(arguments, "Oy*y*iLLLLOw*w*", &given, &table, &rows, &kind,
                          &itemsize, &length, &header, &room, &fallback, &sizes, &ends))
        return NULL;
    Job job = {.shape = {(enum Kind)kind, itemsize, length, header}};
    PyObject *result = NULL;
    int64_t baskets = table.len / 8 / COLUMNS, wanted = rows.len / 8;
    if (source_from(given, &job.source)
        && lengths_fit(&job.source, baskets, job.shape, wanted, &sizes, &ends)
        && (job.output.values = PyByteArray_FromStringAndSize(NULL, room))) {
        job.output.sizes = kind == SCALARS ? NULL : sizes.buf;
        job.output.ends = ends.buf;
        job.codecs.system = codecs_in_use(module);
        job.codecs.fallback = fallback;
        job.codecs.unlocked = job.output.unlocked = &job.unlocked;
        job.unlocked = PyEval_SaveThread();
        int done = read_all(&job, table.buf, baskets, rows.buf, wanted);
        free(job.raw.bytes);
        free(job.data.bytes);
        codecs_close(&job.codecs);
        PyEval_RestoreThread(job.unlocked);
        result = result_of(&job, done);
        Py_DECREF(job.output.values);
    }
    PyBuffer_Release(&table);
    PyBuffer_Release(&rows);
    PyBuffer_Release(&sizes);
    PyBuffer_Release(&ends);
    return result;
}

PyObject *native_decompress(PyObject *module, PyObject *arguments)
{
    PyObject *fallback, *result = NULL;
    Py_buffer block;
    long long size;
    if (!PyArg_ParseTuple(arguments, "y*LO", &block, &size, &fallback))
        return NULL;
    Job job = {.codecs = {codecs_in_use(module), NULL, NULL, fallback, &job.unlocked}};
    job.output.values = PyByteArray_FromStringAndSize(NULL, size);
    if (job.output.values) {
        uint8_t *to = (uint8_t *)PyByteArray_AS_STRING(job.output.values);
        job.output.length = size;
        job.unlocked = PyEval_SaveThread();
        int done = decompress_alone(&job.codecs, block.buf, block.len, to, size, &job.damage);
        codecs_close(&job.codecs);
        PyEval_RestoreThread(job.unlocked);
        result = result_of(&job, done);
    }
    PyBuffer_Release(&block);
    if (!result) {
        Py_XDECREF(job.output.values);
        return NULL;
    }
    Py_DECREF(result);
    return job.output.values;
}
