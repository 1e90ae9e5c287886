/* Indices of the elements of lists that follow one another; see ../list_indices.py and
 * ../../engines/_columnar/segments.py. */
#include "native.h"

#include <math.h>

enum { AT_ONCE = 4 };

/* Write first, first + step, … into `to`, `count` numbers. Where there is room, so many are written
 * at once that most events need no more: what is too much is written over by the next. */
static inline void write_run(int64_t *to, int64_t room, int64_t count, int64_t first, int64_t step)
{
    int64_t done = 0;
    if (room >= AT_ONCE)
        for (; done < AT_ONCE; done++)
            to[done] = first + step * done;
    for (; done < count; done++)
        to[done] = first + step * done;
}

/* Write number i into `to` as often as counts[i] says. Return 0 where they do not fit. */
static int spread(Numbers counts, int64_t *to, int64_t room)
{
    int64_t place = 0;
    for (int64_t i = 0; i < counts.length; place += counts.at[i++]) {
        if (counts.at[i] < 0 || counts.at[i] > room - place)
            return 0;
        write_run(to + place, room - place, counts.at[i], i, 0);
    }
    return place == room;
}

/* Write starts[i], starts[i]+1, … into `to`, counts[i] numbers of each. */
static int ranges(Numbers starts, Numbers counts, int64_t *to, int64_t room)
{
    int64_t place = 0;
    if (starts.length != counts.length)
        return 0;
    for (int64_t i = 0; i < counts.length; place += counts.at[i++]) {
        if (counts.at[i] < 0 || counts.at[i] > room - place)
            return 0;
        write_run(to + place, room - place, counts.at[i], starts.at[i], 1);
    }
    return place == room;
}

/* Write where each of the numbers stands among the known ones, −1 where it does not; both are
 * in ascending order. */
static int places(Numbers known, Numbers wanted, int64_t *to, int64_t room)
{
    int64_t k = 0;
    if (wanted.length != room)
        return 0;
    for (int64_t i = 0; i < wanted.length; i++) {
        while (k < known.length && known.at[k] < wanted.at[i])
            k++;
        to[i] = k < known.length && known.at[k] == wanted.at[i] ? k : -1;
    }
    return 1;
}

/* Write where each event's extreme value is, or its first element where all are NaN. */
static int best(const double *values, int64_t length, Numbers first, int largest, int64_t *to)
{
    for (int64_t e = 0; e < first.length; e++) {
        int64_t begin = first.at[e], end = e + 1 < first.length ? first.at[e + 1] : length;
        if (begin < 0 || begin >= end || end > length)
            return 0;
        int64_t chosen = begin;
        for (int64_t i = begin + 1; i < end; i++) {
            int better = largest ? values[i] > values[chosen] : values[i] < values[chosen];
            if (better || (isnan(values[chosen]) && !isnan(values[i])))
                chosen = i;
        }
        to[e] = chosen;
    }
    return 1;
}

PyObject *none_if_fit(int fits)
{
    if (fits)
        Py_RETURN_NONE;
    PyErr_SetString(PyExc_ValueError, "the arrays do not fit each other");
    return NULL;
}

PyObject *native_spread(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    Py_buffer counts, out;
    if (!PyArg_ParseTuple(arguments, "y*w*", &counts, &out))
        return NULL;
    int fits;
    Py_BEGIN_ALLOW_THREADS
    fits = spread(numbers_in(&counts), out.buf, out.len / 8);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&counts);
    PyBuffer_Release(&out);
    return none_if_fit(fits);
}

/* Call what writes from two arrays into a third, without Python's lock. */
static PyObject *from_two(PyObject *arguments, int (*work)(Numbers, Numbers, int64_t *, int64_t))
{
    Py_buffer first, second, out;
    if (!PyArg_ParseTuple(arguments, "y*y*w*", &first, &second, &out))
        return NULL;
    int fits;
    Py_BEGIN_ALLOW_THREADS
    fits = work(numbers_in(&first), numbers_in(&second), out.buf, out.len / 8);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&first);
    PyBuffer_Release(&second);
    PyBuffer_Release(&out);
    return none_if_fit(fits);
}

PyObject *native_ranges(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    return from_two(arguments, ranges);
}

PyObject *native_places(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    return from_two(arguments, places);
}

PyObject *native_best(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    Py_buffer values, first, out;
    int largest;
    if (!PyArg_ParseTuple(arguments, "y*y*pw*", &values, &first, &largest, &out))
        return NULL;
    int fits = first.len == out.len;
    Py_BEGIN_ALLOW_THREADS
    fits = fits && best(values.buf, values.len / 8, numbers_in(&first), largest, out.buf);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&values);
    PyBuffer_Release(&first);
    PyBuffer_Release(&out);
    return none_if_fit(fits);
}
