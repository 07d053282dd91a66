"""The two runtimes that the demo times, behind one interface: construct with a
model's path, named input arrays and a number of threads; then call run()."""

import ctypes

import numpy as np

from demo_compare import ort_session

# dsc_dtype has ONNX's numbers.
DTYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9, "float16": 10,
          "float64": 11}


class TensorInfo(ctypes.Structure):
    """dsc_tensor_info; what is not used here stays opaque."""
    _fields_ = [("name", ctypes.c_char_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_size_t),
                ("dims", ctypes.c_void_p), ("dim_texts", ctypes.c_void_p)]


class ContextOptions(ctypes.Structure):
    """dsc_context_options."""
    _fields_ = [("struct_size", ctypes.c_size_t), ("threads", ctypes.c_size_t),
                ("allocate", ctypes.c_void_p), ("deallocate", ctypes.c_void_p),
                ("allocator_user", ctypes.c_void_p), ("parallel_for", ctypes.c_void_p),
                ("parallel_user", ctypes.c_void_p)]


class Library:
    """libdsc_runtime.so."""

    def __init__(self, path):
        self.functions = ctypes.CDLL(path)
        self.functions.dsc_last_error.restype = ctypes.c_char_p
        self.functions.dsc_model_input_count.restype = ctypes.c_size_t

    def __getattr__(self, name):
        """A function whose failure is an exception."""
        function = getattr(self.functions, "dsc_" + name)

        def call(*arguments):
            if function(*arguments) != 0:
                raise RuntimeError(self.functions.dsc_last_error().decode())
        return call


class DscRunner:
    def __init__(self, library, path, inputs, threads):
        self.library = library
        self.model, self.context = ctypes.c_void_p(), ctypes.c_void_p()
        self.inputs = {name: np.require(array, requirements="C") for name, array in inputs.items()}
        library.model_open(path.encode(), ctypes.byref(self.model))
        options = self.make_options(threads)
        library.context_create(self.model, ctypes.byref(options), ctypes.byref(self.context))
        for index in range(library.functions.dsc_model_input_count(self.model)):
            self._set_input(index)
        run, context = library.functions.dsc_context_run, self.context
        self.run = lambda: run(context)
        self.before_run()
        library.context_run(self.context)

    def make_options(self, threads):
        return ContextOptions(struct_size=ctypes.sizeof(ContextOptions), threads=threads)

    def before_run(self):
        """For those who want more of the context than the defaults."""

    def _set_input(self, index):
        info = TensorInfo()
        self.library.model_input_info(self.model, ctypes.c_size_t(index), ctypes.byref(info))
        array = self.inputs[info.name.decode()]
        dims = (ctypes.c_int64 * array.ndim)(*array.shape)
        self.library.context_set_input(
            self.context, ctypes.c_size_t(index), array.ctypes.data_as(ctypes.c_void_p),
            DTYPES[array.dtype.name], ctypes.c_size_t(array.ndim), dims,
            ctypes.c_size_t(array.nbytes))

    def close(self):
        self.library.functions.dsc_context_destroy(self.context)
        self.library.functions.dsc_model_close(self.model)


class OrtRunner:
    def __init__(self, path, inputs, threads):
        self.session = ort_session(path, threads)
        self.binding = self.session.io_binding()
        for name, array in inputs.items():
            self.binding.bind_cpu_input(name, array)
        for output in self.session.get_outputs():
            self.binding.bind_output(output.name)
        session, binding = self.session, self.binding
        self.run = lambda: session.run_with_iobinding(binding)
        self.run()
