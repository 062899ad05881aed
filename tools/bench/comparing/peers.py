"""The peers: each prepares a case and gives a call without arguments, which is what is timed.

A class has version(), and prepare(case, inputs), which returns (run, result): run() computes once,
result() is what the latest run computed, as float32 in the shape of the query, or with weights as
problem.with_weights gives it. It raises NotSupported for what the peer cannot do. Inputs are float32 arrays whose values the dtype holds
exactly; conversions and everything that is done once happen in prepare.
"""
import numpy as np

from problem import with_weights


class NotSupported(Exception):
    """The contender has no such case."""


class WrongResult(Exception):
    """A result is too far from the reference."""


def refuse_weights(case):
    if case.weights:
        raise NotSupported("its operations for attention return no weights")


class Torch:
    """scaled_dot_product_attention, and nn.MultiheadAttention in eval mode (its fast path)."""

    def __init__(self, threads, dtype):
        import torch
        self.torch = torch
        torch.set_num_threads(threads)
        # Entered once: as a block around every call it would cost a few microseconds each.
        self.inference_mode = torch.inference_mode()
        self.inference_mode.__enter__()
        self.dtype = getattr(torch, dtype)

    def version(self):
        return self.torch.__version__

    def prepare(self, case, inputs):
        torch = self.torch
        tensors = {name: torch.from_numpy(array).to(self.dtype) for name, array in inputs.items()}
        if case.is_module:
            call = self.module_call(case, tensors)
        else:
            query, key, value = tensors["query"], tensors["key"], tensors["value"]
            def call():
                return torch.nn.functional.scaled_dot_product_attention(
                    query, key, value, is_causal=case.causal)
        def result():
            if case.weights:
                return with_weights(case, *(part.float().numpy() for part in call()))
            return call().float().numpy()
        return call, result

    def module_call(self, case, tensors):
        module = self.torch.nn.MultiheadAttention(case.embed_dim, case.heads, batch_first=True,
                                                  dtype=self.dtype).eval()
        module.load_state_dict({name.replace("out_proj_", "out_proj."): tensor
                                for name, tensor in tensors.items() if name != "query"})
        query = tensors["query"]
        if case.weights:
            return lambda: module(query, query, query, need_weights=True)
        return lambda: module(query, query, query, need_weights=False)[0]


class OpenVino:
    """The operation ScaledDotProductAttention, with MatMul and Add around it for a module.

    Tensors are float32; for bfloat16 the inference precision is, as OpenVINO's users set it.
    """

    PRECISION = {"float32": "f32", "bfloat16": "bf16"}

    def __init__(self, threads, dtype):
        import openvino
        self.openvino = openvino
        self.core = openvino.Core()
        self.properties = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
                           "INFERENCE_PRECISION_HINT": self.PRECISION[dtype]}

    def version(self):
        return self.openvino.__version__.split("-")[0]

    def prepare(self, case, inputs):
        refuse_weights(case)
        names = ["query"] if case.is_module else ["query", "key", "value"]
        build = self.module_model if case.is_module else self.core_model
        compiled = self.core.compile_model(build(case, inputs, names), "CPU", self.properties)
        request = compiled.create_infer_request()
        for index, name in enumerate(names):
            request.set_input_tensor(index, self.openvino.Tensor(inputs[name], shared_memory=True))
        # share_outputs spares a copy of the result in every call.
        return (lambda: request.infer(share_outputs=True),
                lambda: np.array(request.get_output_tensor(0).data, np.float32))

    def parameters(self, inputs, names):
        import openvino.opset13 as op
        return [op.parameter(list(inputs[name].shape), np.float32) for name in names]

    def core_model(self, case, inputs, names):
        import openvino.opset13 as op
        parameters = self.parameters(inputs, names)
        attention = op.scaled_dot_product_attention(*parameters, causal=case.causal)
        return self.openvino.Model([attention], parameters)

    def module_model(self, case, inputs, names):
        import openvino.opset13 as op
        parameters = self.parameters(inputs, names)
        shape, width = list(inputs["query"].shape), case.embed_dim
        def constant(values):
            return op.constant(np.array(values, np.int64))
        def project(value, weight, bias):
            return op.add(op.matmul(value, op.constant(weight), False, True), op.constant(bias))
        def head(part):
            rows = slice(part * width, (part + 1) * width)
            projected = project(parameters[0], inputs["in_proj_weight"][rows],
                                inputs["in_proj_bias"][rows])
            split = op.reshape(projected, constant([*shape[:2], case.heads, case.head_dim]), False)
            return op.transpose(split, constant([0, 2, 1, 3]))
        attention = op.scaled_dot_product_attention(head(0), head(1), head(2))
        merged = op.reshape(op.transpose(attention, constant([0, 2, 1, 3])), constant(shape), False)
        return self.openvino.Model(
            [project(merged, inputs["out_proj_weight"], inputs["out_proj_bias"])], parameters)


class OnnxRuntime:
    """The operators MultiHeadAttention (core) and Attention with MatMul and Add (module) of
    com.microsoft, in their own layout (N, L, H * D), with bound inputs and outputs. float32 only."""

    def __init__(self, threads, dtype):
        import onnxruntime
        if dtype != "float32":
            raise NotSupported(f"the CPU operators have no {dtype}")
        self.onnxruntime = onnxruntime
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1
        self.options.log_severity_level = 3

    def version(self):
        return self.onnxruntime.__version__

    def prepare(self, case, inputs):
        refuse_weights(case)
        if case.is_module:
            feed = {"query": inputs["query"]}
        else:
            feed = {name: np.ascontiguousarray(array.transpose(0, 2, 1, 3)).reshape(
                array.shape[0], array.shape[2], -1) for name, array in inputs.items()}
        model = self.model(case, inputs, feed)
        session = self.onnxruntime.InferenceSession(model.SerializeToString(), self.options,
                                                    providers=["CPUExecutionProvider"])
        out = np.empty(feed["query"].shape, np.float32)
        binding = session.io_binding()
        for name, array in feed.items():
            binding.bind_input(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        binding.bind_output("out", "cpu", 0, np.float32, out.shape, out.ctypes.data)
        def run(_kept_alive=feed):
            session.run_with_iobinding(binding)
        def result():
            if case.is_module:
                return out
            split = out.reshape(case.batch, case.target, case.heads, case.head_dim)
            return split.transpose(0, 2, 1, 3)
        return run, result

    def model(self, case, inputs, feed):
        from onnx import TensorProto, helper, numpy_helper
        constants = {}
        if case.is_module:
            constants = {"in_weight": inputs["in_proj_weight"].T, "in_bias": inputs["in_proj_bias"],
                         "out_weight": inputs["out_proj_weight"].T,
                         "out_bias": inputs["out_proj_bias"]}
            nodes = [helper.make_node("Attention", ["query", "in_weight", "in_bias"], ["merged"],
                                      domain="com.microsoft", num_heads=case.heads),
                     helper.make_node("MatMul", ["merged", "out_weight"], ["product"]),
                     helper.make_node("Add", ["product", "out_bias"], ["out"])]
        else:
            nodes = [helper.make_node("MultiHeadAttention", list(feed), ["out"],
                                      domain="com.microsoft", num_heads=case.heads,
                                      unidirectional=int(case.causal))]
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, array.shape)
                  for name, array in feed.items()]
        out = helper.make_tensor_value_info("out", TensorProto.FLOAT, feed["query"].shape)
        graph = helper.make_graph(nodes, "case", values, [out], [
            numpy_helper.from_array(np.ascontiguousarray(array), name)
            for name, array in constants.items()])
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)
