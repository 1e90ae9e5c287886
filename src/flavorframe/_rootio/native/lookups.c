/* Tables of what is known of candidates, and links to elements; see
 * ../../engines/_columnar/segments.py. */
#include "native.h"

#include <string.h>

/* Arrays of a tuple, while they are in use. */
typedef struct {
    Py_buffer *at;
    Py_ssize_t count;
} Arrays;

static void release(Arrays *arrays)
{
    while (arrays->count > 0)
        PyBuffer_Release(&arrays->at[--arrays->count]);
    PyMem_Free(arrays->at);
}

/* Acquire the arrays of a tuple; return 0 where Python has an error. */
static int acquire(PyObject *tuple, Arrays *arrays)
{
    Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    *arrays = (Arrays){PyMem_Calloc(count + 1, sizeof(Py_buffer)), 0};
    if (arrays->at == NULL)
        PyErr_NoMemory();
    while (!PyErr_Occurred() && arrays->count < count) {
        PyObject *array = PyTuple_GET_ITEM(tuple, arrays->count);
        if (PyObject_GetBuffer(array, &arrays->at[arrays->count], PyBUF_SIMPLE) == 0)
            arrays->count++;
    }
    return !PyErr_Occurred();
}

/* What a table says of an element: 0, 1 or 2, as the step has it, or that it is not known. */
enum { LIVES = 1, SEVERAL = 2, UNKNOWN = 3, ROW = 4 };

/* Count what a table says of the living elements. Return 0 where it does not know one of them. */
static int count_answers(const uint8_t *table, const uint8_t *alive, int64_t length, int64_t *row)
{
    int32_t living = 0, ones = 0, several = 0, unknown = 0;
    for (int64_t i = 0; i < length; i++) {
        living += alive[i];
        ones += alive[i] & (table[i] == LIVES);
        several += alive[i] & (table[i] == SEVERAL);
        unknown += alive[i] & (table[i] >= UNKNOWN);
    }
    row[0] = living - ones - several;
    row[1] = ones;
    row[2] = several;
    return unknown == 0;
}

/* Count the events that have a living element; `joined` are those in the event of the one before. */
static int64_t count_events(const uint8_t *alive, const uint8_t *joined, int64_t length)
{
    int64_t events = 0;
    uint8_t seen = 0;
    for (int64_t i = 0; i < length; i++) {
        seen &= joined[i];
        events += alive[i] & (seen ^ 1);
        seen |= alive[i];
    }
    return events;
}

/* One table after the other; return how many were used. */
static int64_t sift(const Py_buffer *tables, const uint8_t *cuts, int64_t steps,
                    const uint8_t *joined, uint8_t *alive, int64_t length, int64_t *rows)
{
    for (int64_t i = 0; i < steps; i++, rows += ROW) {
        const uint8_t *table = tables[i].buf;
        if (tables[i].len != length || !count_answers(table, alive, length, rows))
            return i;
        if (!cuts[i])
            continue;
        for (int64_t k = 0; k < length; k++)
            alive[k] &= table[k] == LIVES;
        rows[ROW - 1] = count_events(alive, joined, length);
    }
    return steps;
}

PyObject *native_sift(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *list;
    Py_buffer cuts, joined, alive, rows;
    Arrays tables;
    if (!PyArg_ParseTuple(arguments, "O!y*y*w*w*", &PyTuple_Type, &list, &cuts, &joined, &alive,
                          &rows))
        return NULL;
    int64_t taken = 0, steps = PyTuple_GET_SIZE(list);
    int fits = cuts.len == steps && rows.len == 8 * ROW * steps && joined.len == alive.len &&
               alive.len <= INT32_MAX;
    if (acquire(list, &tables) && fits) {
        Py_BEGIN_ALLOW_THREADS
        taken = sift(tables.at, cuts.buf, steps, joined.buf, alive.buf, alive.len, rows.buf);
        Py_END_ALLOW_THREADS
    }
    release(&tables);
    PyBuffer_Release(&cuts);
    PyBuffer_Release(&joined);
    PyBuffer_Release(&alive);
    PyBuffer_Release(&rows);
    if (PyErr_Occurred())
        return NULL;
    return fits ? PyLong_FromLongLong(taken) : none_if_fit(0);
}

static int are_equal(char kind, const void *keys, int64_t target, const void *values, int64_t i)
{
    switch (kind) {
    case 'f': return ((const float *)keys)[target] == ((const float *)values)[i];
    case 'd': return ((const double *)keys)[target] == ((const double *)values)[i];
    case 'i': return ((const int32_t *)keys)[target] == ((const int32_t *)values)[i];
    default: return ((const int64_t *)keys)[target] == ((const int64_t *)values)[i];
    }
}

/* Whether the keys of a target equal the values of element i; `arrays` has one after the other. */
static int matches(const char *kinds, const Py_buffer *arrays, int64_t target, int64_t i)
{
    for (; *kinds; kinds++, arrays += 2)
        if (!are_equal(*kinds, arrays[0].buf, target, arrays[1].buf, i))
            return 0;
    return 1;
}

/* Write for each element which of the targets starts[i], starts[i]+1, … is its first match, and how
 * many there are of these. Return 0 where there are less targets or elements. */
static int first_match(const char *kinds, const Py_buffer *arrays, int64_t targets, Numbers starts,
                       Numbers counts, int64_t *found, int64_t *number)
{
    for (int64_t i = 0; i < counts.length; i++) {
        int64_t start = starts.at[i], count = counts.at[i];
        if (count > 0 && (start < 0 || start > targets || count > targets - start))
            return 0;
        found[i] = -1;
        number[i] = 0;
        for (int64_t k = 0; k < count; k++)
            if (matches(kinds, arrays, start + k, i) && number[i]++ == 0)
                found[i] = k;
    }
    return 1;
}

/* Return how many targets there are, or −1 where arrays are shorter than the others. */
static int64_t count_targets(const char *kinds, const Arrays *arrays, int64_t elements)
{
    int64_t targets = -1;
    if ((int64_t)strlen(kinds) * 2 != arrays->count)
        return -1;
    for (Py_ssize_t i = 0; i < arrays->count; i += 2) {
        int64_t size = kinds[i / 2] == 'f' || kinds[i / 2] == 'i' ? 4 : 8;
        if (arrays->at[i + 1].len != size * elements)
            return -1;
        if (targets >= 0 && arrays->at[i].len != size * targets)
            return -1;
        targets = arrays->at[i].len / size;
    }
    return targets;
}

PyObject *native_first_match(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    const char *kinds;
    PyObject *list;
    Py_buffer starts, counts, found, number;
    Arrays arrays;
    if (!PyArg_ParseTuple(arguments, "sO!y*y*w*w*", &kinds, &PyTuple_Type, &list, &starts, &counts,
                          &found, &number))
        return NULL;
    int fits = starts.len == counts.len && found.len == counts.len && number.len == counts.len;
    if (acquire(list, &arrays) && fits) {
        int64_t targets = count_targets(kinds, &arrays, counts.len / 8);
        Py_BEGIN_ALLOW_THREADS
        fits = targets >= 0 && first_match(kinds, arrays.at, targets, numbers_in(&starts),
                                           numbers_in(&counts), found.buf, number.buf);
        Py_END_ALLOW_THREADS
    }
    release(&arrays);
    PyBuffer_Release(&starts);
    PyBuffer_Release(&counts);
    PyBuffer_Release(&found);
    PyBuffer_Release(&number);
    return PyErr_Occurred() ? NULL : none_if_fit(fits);
}
