/* Decompress the blocks of baskets; source of their format: ROOT's RZip.
 *
 * The system's own libraries are looked for when the module is made: they are part of nearly every
 * system, and called without Python's lock. Where one is missing, a Python package does its work
 * (../codecs.py). To add a codec: its library and functions here, its two letters in `any_block`.
 */
#include "native.h"

#include <dlfcn.h>
#include <string.h>

enum { BLOCK_HEADER = 9, CHECKSUM = 8 };

enum { ZSTD, DEFLATE, LZ4, XXHASH };

static const char *const library_names[LIBRARIES][2] = {
    [ZSTD] = {"libzstd.so.1", "libzstd.1.dylib"},
    [DEFLATE] = {"libdeflate.so.0", "libdeflate.0.dylib"},
    [LZ4] = {"liblz4.so.1", "liblz4.1.dylib"},
    [XXHASH] = {"libxxhash.so.0", "libxxhash.0.dylib"},
};

static void *open_library(const char *const names[2])
{
    void *found = dlopen(names[0], RTLD_NOW | RTLD_LOCAL);
    return found ? found : dlopen(names[1], RTLD_NOW | RTLD_LOCAL);
}

static void *symbol(void *from, const char *name)
{
    return from ? dlsym(from, name) : NULL;
}

void system_codecs_open(SystemCodecs *system)
{
    for (int i = 0; i < LIBRARIES; i++)
        system->libraries[i] = open_library(library_names[i]);
    void *zstd = system->libraries[ZSTD], *deflate = system->libraries[DEFLATE];
    *(void **)&system->zstd_create = symbol(zstd, "ZSTD_createDCtx");
    *(void **)&system->zstd_free = symbol(zstd, "ZSTD_freeDCtx");
    *(void **)&system->zstd_decompress = symbol(zstd, "ZSTD_decompressDCtx");
    *(void **)&system->zstd_is_error = symbol(zstd, "ZSTD_isError");
    *(void **)&system->deflate_create = symbol(deflate, "libdeflate_alloc_decompressor");
    *(void **)&system->deflate_free = symbol(deflate, "libdeflate_free_decompressor");
    *(void **)&system->deflate_decompress = symbol(deflate, "libdeflate_zlib_decompress");
    *(void **)&system->lz4_decompress = symbol(system->libraries[LZ4], "LZ4_decompress_safe");
    *(void **)&system->xxhash64 = symbol(system->libraries[XXHASH], "XXH64");
}

void system_codecs_close(SystemCodecs *system)
{
    for (int i = 0; i < LIBRARIES; i++)
        if (system->libraries[i])
            dlclose(system->libraries[i]);
    memset(system, 0, sizeof *system);
}

PyObject *system_codecs_found(const SystemCodecs *system)
{
    return Py_BuildValue("{sNsNsN}", "zstd", PyBool_FromLong(system->zstd_decompress != NULL),
                         "zlib", PyBool_FromLong(system->deflate_decompress != NULL), "lz4",
                         PyBool_FromLong(system->lz4_decompress && system->xxhash64));
}

void codecs_close(Codecs *codecs)
{
    if (codecs->zstd)
        codecs->system->zstd_free(codecs->zstd);
    if (codecs->deflate)
        codecs->system->deflate_free(codecs->deflate);
}

static int64_t zstd_block(Codecs *codecs, const uint8_t *from, int64_t length, uint8_t *to,
                          int64_t size, Damage *damage)
{
    const SystemCodecs *system = codecs->system;
    if (!codecs->zstd && !(codecs->zstd = system->zstd_create()))
        return out_of_memory(damage) - 1;
    size_t written = system->zstd_decompress(codecs->zstd, to, (size_t)size, from, (size_t)length);
    return system->zstd_is_error(written) ? -1 : (int64_t)written;
}

static int64_t zlib_block(Codecs *codecs, const uint8_t *from, int64_t length, uint8_t *to,
                          int64_t size, Damage *damage)
{
    const SystemCodecs *system = codecs->system;
    size_t written = 0;
    if (!codecs->deflate && !(codecs->deflate = system->deflate_create()))
        return out_of_memory(damage) - 1;
    if (system->deflate_decompress(codecs->deflate, from, (size_t)length, to, (size_t)size,
                                   &written))
        return -1;
    return (int64_t)written;
}

static int64_t lz4_block(const SystemCodecs *system, const uint8_t *from, int64_t length,
                         uint8_t *to, int64_t size)
{
    uint64_t checksum = 0;
    if (length < CHECKSUM)
        return -1;
    for (int i = 0; i < CHECKSUM; i++)
        checksum = checksum << 8 | from[i];
    if (system->xxhash64(from + CHECKSUM, (size_t)(length - CHECKSUM), 0) != checksum)
        return -1;
    return system->lz4_decompress((const char *)from + CHECKSUM, (char *)to,
                                  (int)(length - CHECKSUM), (int)size);
}

/* Let the Python function decompress a block, with Python's lock. Its ValueError tells the damage;
 * any other error is not the file's, and stays set. */
static int64_t python_block(Codecs *codecs, const uint8_t *block, int64_t length, uint8_t *to,
                            int64_t size, Damage *damage)
{
    int64_t written = -1;
    PyEval_RestoreThread(*codecs->unlocked);
    PyObject *from = PyMemoryView_FromMemory((char *)block + BLOCK_HEADER, length, PyBUF_READ);
    PyObject *target = PyMemoryView_FromMemory((char *)to, size, PyBUF_WRITE);
    PyObject *result = NULL;
    if (from && target)
        result = PyObject_CallFunction(codecs->fallback, "y#OO", (const char *)block,
                                       (Py_ssize_t)2, from, target);
    if (result)
        written = PyLong_AsLongLong(result);
    if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyObject *type, *value, *trace;
        PyErr_Fetch(&type, &value, &trace);
        PyObject *text = value ? PyObject_Str(value) : NULL;
        const char *words = text ? PyUnicode_AsUTF8(text) : NULL;
        damaged(damage, "%s", words && words[0] ? words : "it does not decompress");
        PyErr_Clear();
        Py_XDECREF(text);
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(trace);
        written = -1;
    }
    Py_XDECREF(result);
    Py_XDECREF(from);
    Py_XDECREF(target);
    *codecs->unlocked = PyEval_SaveThread();
    return written;
}

static int64_t any_block(Codecs *codecs, const uint8_t *block, int64_t length, uint8_t *to,
                         int64_t size, Damage *damage)
{
    const SystemCodecs *system = codecs->system;
    const uint8_t *from = block + BLOCK_HEADER;
    if (memcmp(block, "ZS", 2) == 0 && system->zstd_decompress)
        return zstd_block(codecs, from, length, to, size, damage);
    if (memcmp(block, "ZL", 2) == 0 && system->deflate_decompress)
        return zlib_block(codecs, from, length, to, size, damage);
    if (memcmp(block, "L4", 2) == 0 && system->lz4_decompress && system->xxhash64)
        return lz4_block(system, from, length, to, size);
    return python_block(codecs, block, length, to, size, damage);
}

static int one_block(Codecs *codecs, const uint8_t *block, int64_t length, uint8_t *to,
                     int64_t size, Damage *damage)
{
    if (memcmp(block, "CS", 2) == 0) {
        damage->unusual = 1;
        return damaged(damage, "compression of ROOT before version 3");
    }
    int64_t written = any_block(codecs, block, length, to, size, damage);
    if (written == size)
        return 1;
    if (written < 0)
        return damage->text[0] ? 0 : damaged(damage, "it does not decompress");
    return damaged(damage, "a block gives %lld bytes instead of %lld", (long long)written,
                   (long long)size);
}

static int64_t little_endian_24(const uint8_t *p)
{
    return (int64_t)p[0] | (int64_t)p[1] << 8 | (int64_t)p[2] << 16;
}

/* Whether the blocks' own sizes add up to the key's. It is asked before that much memory is taken. */
int blocks_fit(const uint8_t *from, int64_t length, int64_t size, Damage *damage)
{
    int64_t total = 0, place = 0;
    if (length == size)
        return 1;
    while (place < length) {
        if (length - place < BLOCK_HEADER)
            return damaged(damage, "a compressed block ends within its header");
        total += little_endian_24(from + place + 6);
        place += BLOCK_HEADER + little_endian_24(from + place + 3);
    }
    if (place > length)
        return damaged(damage, "a compressed block is longer than the basket");
    if (total != size)
        return damaged(damage, "its blocks hold %lld bytes, and its key says %lld",
                       (long long)total, (long long)size);
    return 1;
}

int decompress(Codecs *codecs, const uint8_t *from, int64_t length, uint8_t *to, int64_t size,
               Damage *damage)
{
    if (length == size) {
        memcpy(to, from, (size_t)size);
        return 1;
    }
    for (int64_t place = 0, filled = 0; place < length;) {
        int64_t before = little_endian_24(from + place + 3);
        int64_t after = little_endian_24(from + place + 6);
        if (!one_block(codecs, from + place, before, to + filled, after, damage))
            return 0;
        place += BLOCK_HEADER + before;
        filled += after;
    }
    return 1;
}

int decompress_alone(Codecs *codecs, const uint8_t *block, int64_t length, uint8_t *to,
                     int64_t size, Damage *damage)
{
    if (length < BLOCK_HEADER || length != BLOCK_HEADER + little_endian_24(block + 3)
        || size != little_endian_24(block + 6))
        return damaged(damage, "a compressed block ends too early");
    return one_block(codecs, block, length - BLOCK_HEADER, to, size, damage);
}
