/* Loops over the entries of decompressed baskets; see decode.py, which says what they mean.
 *
 * Every function takes contiguous buffers, checks each access against their lengths, and lets other
 * threads run while it works. Written in C because a just-in-time compiler takes longer to start
 * than a first histogram may take.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum { PLACE, SIZE, BORDER, KEY, ENTRIES, FIRST, LAST, COLUMNS };
enum { VECTOR_HEADER = 10, VECTOR_COUNT = 6 };

static int64_t big_endian_32(const uint8_t *p)
{
    return (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
}

/* Whether a basket's row of the table fits the data, and its table of entries fits the basket. */
static int fits(const int64_t *row, int64_t length)
{
    return row[PLACE] >= 0 && row[SIZE] >= 0 && row[PLACE] <= length - row[SIZE]
        && row[ENTRIES] >= 0 && row[ENTRIES] < INT32_MAX / 4
        && row[BORDER] >= 0 && row[BORDER] <= row[SIZE] - 4 * (row[ENTRIES] + 1)
        && row[FIRST] >= 0 && row[FIRST] <= row[LAST] && row[LAST] <= row[ENTRIES];
}

/* Fill begins and sizes for one basket; return 0 where its entries contradict its data. */
static int locate_basket(const uint8_t *data, const int64_t *row, int64_t itemsize, int64_t header,
                         int64_t *begins, int64_t *sizes)
{
    const uint8_t *payload = data + row[PLACE];
    const uint8_t *offsets = payload + row[BORDER] + 4;
    for (int64_t i = row[FIRST]; i < row[LAST]; i++) {
        int64_t begin = big_endian_32(offsets + 4 * i) - row[KEY];
        int64_t end = i + 1 == row[ENTRIES] ? row[BORDER]
                                            : big_endian_32(offsets + 4 * (i + 1)) - row[KEY];
        int64_t length = end - begin - header;
        if (begin < 0 || end > row[BORDER] || length < 0 || length % itemsize != 0)
            return 0;
        *sizes = length / itemsize;
        if (header == VECTOR_HEADER && big_endian_32(payload + begin + VECTOR_COUNT) != *sizes)
            return 0;
        *begins++ = row[PLACE] + begin + header;
        sizes++;
    }
    return 1;
}

static int64_t locate_all(const Py_buffer *data, const Py_buffer *table, int64_t itemsize,
                          int64_t header, Py_buffer *begins, Py_buffer *sizes)
{
    const int64_t *rows = table->buf;
    int64_t *begin = begins->buf, *size = sizes->buf;
    int64_t room = Py_MIN(begins->len, sizes->len) / 8;
    int64_t count = table->len / 8 / COLUMNS;
    for (int64_t i = 0; i < count; i++) {
        const int64_t *row = rows + COLUMNS * i;
        if (!fits(row, data->len) || row[LAST] - row[FIRST] > room)
            return i;
        if (!locate_basket(data->buf, row, itemsize, header, begin, size))
            return i;
        begin += row[LAST] - row[FIRST];
        size += row[LAST] - row[FIRST];
        room -= row[LAST] - row[FIRST];
    }
    return -1;
}

static PyObject *locate(PyObject *self, PyObject *arguments)
{
    Py_buffer data, table, begins, sizes;
    long long itemsize, header;
    int64_t wrong;
    if (!PyArg_ParseTuple(arguments, "y*y*LLw*w*", &data, &table, &itemsize, &header, &begins,
                          &sizes))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    wrong = locate_all(&data, &table, itemsize, header, &begins, &sizes);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&data);
    PyBuffer_Release(&table);
    PyBuffer_Release(&begins);
    PyBuffer_Release(&sizes);
    return PyLong_FromLongLong(wrong);
}

static uint64_t swapped_64(const uint8_t *p)
{
    uint64_t value;
    memcpy(&value, p, 8);
    return __builtin_bswap64(value);
}

static uint32_t swapped_32(const uint8_t *p)
{
    uint32_t value;
    memcpy(&value, p, 4);
    return __builtin_bswap32(value);
}

/* Copy n elements, from big-endian to the machine's order, which is little-endian. */
static void copy_items(const uint8_t *from, int64_t n, int64_t itemsize, uint8_t *to)
{
    if (itemsize == 8)
        for (int64_t k = 0; k < n; k++) {
            uint64_t value = swapped_64(from + 8 * k);
            memcpy(to + 8 * k, &value, 8);
        }
    else if (itemsize == 4)
        for (int64_t k = 0; k < n; k++) {
            uint32_t value = swapped_32(from + 4 * k);
            memcpy(to + 4 * k, &value, 4);
        }
    else if (itemsize == 2)
        for (int64_t k = 0; k < n; k++) {
            to[2 * k] = from[2 * k + 1];
            to[2 * k + 1] = from[2 * k];
        }
    else
        memcpy(to, from, (size_t)n);
}

static int copy_all(const Py_buffer *data, const Py_buffer *begins, const Py_buffer *sizes,
                    int64_t itemsize, Py_buffer *out)
{
    const int64_t *begin = begins->buf, *size = sizes->buf;
    int64_t count = Py_MIN(begins->len, sizes->len) / 8, room = out->len;
    uint8_t *to = out->buf;
    for (int64_t i = 0; i < count; i++) {
        if (begin[i] < 0 || size[i] < 0 || size[i] > room / itemsize
            || begin[i] > data->len - size[i] * itemsize)
            return 0;
        copy_items((const uint8_t *)data->buf + begin[i], size[i], itemsize, to);
        to += size[i] * itemsize;
        room -= size[i] * itemsize;
    }
    return room == 0;
}

static PyObject *copy(PyObject *self, PyObject *arguments)
{
    Py_buffer data, begins, sizes, out;
    long long itemsize;
    int done;
    if (!PyArg_ParseTuple(arguments, "y*y*y*Lw*", &data, &begins, &sizes, &itemsize, &out))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    done = copy_all(&data, &begins, &sizes, itemsize, &out);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&data);
    PyBuffer_Release(&begins);
    PyBuffer_Release(&sizes);
    PyBuffer_Release(&out);
    if (!done) {
        PyErr_SetString(PyExc_ValueError, "elements lie outside the data or the result");
        return NULL;
    }
    Py_RETURN_NONE;
}

static int mark_all(const Py_buffer *data, const Py_buffer *begins, const Py_buffer *sizes,
                    Py_buffer *changed)
{
    const uint8_t *bytes = data->buf;
    const int64_t *begin = begins->buf, *size = sizes->buf;
    int64_t count = Py_MIN(Py_MIN(begins->len, sizes->len) / 8, changed->len);
    uint8_t *marks = changed->buf;
    for (int64_t i = 0; i < count; i++) {
        if (begin[i] < 0 || size[i] < 0 || begin[i] > data->len - size[i])
            return 0;
        marks[i] = i == 0 || size[i] != size[i - 1]
                || memcmp(bytes + begin[i], bytes + begin[i - 1], (size_t)size[i]) != 0;
    }
    return 1;
}

static PyObject *mark_changes(PyObject *self, PyObject *arguments)
{
    Py_buffer data, begins, sizes, changed;
    int done;
    if (!PyArg_ParseTuple(arguments, "y*y*y*w*", &data, &begins, &sizes, &changed))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    done = mark_all(&data, &begins, &sizes, &changed);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&data);
    PyBuffer_Release(&begins);
    PyBuffer_Release(&sizes);
    PyBuffer_Release(&changed);
    if (!done) {
        PyErr_SetString(PyExc_ValueError, "entries lie outside the data");
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"locate", locate, METH_VARARGS,
     "locate(data, table, itemsize, header, begins, sizes): the row of a wrong basket, or -1."},
    {"copy", copy, METH_VARARGS, "copy(data, begins, sizes, itemsize, out): big-endian to native."},
    {"mark_changes", mark_changes, METH_VARARGS,
     "mark_changes(data, begins, sizes, changed): which entries differ from the one before."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_decode", "Loops over the entries of baskets.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__decode(void)
{
    return PyModule_Create(&module);
}
