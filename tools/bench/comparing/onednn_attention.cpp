// Attention by oneDNN's graph API, for onednn.py: one compiled partition and its tensors.
//
//   c++ -O2 -shared -fPIC onednn_attention.cpp -ldnnl -o libonednn_attention.so
#include <cmath>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <oneapi/dnnl/dnnl_graph.hpp>
#include <stdexcept>
#include <string>

namespace {
using namespace dnnl::graph;
using Tensor = logical_tensor;

std::string message;

/// softmax(scale q k^T, masked) v as a graph; scores between the operations are float32.
class AttentionGraph {
public:
  AttentionGraph(const int64_t *sizes, Tensor::data_type type, bool isCausal)
      : graph(dnnl::engine::kind::cpu) {
    const int64_t batch = sizes[0], heads = sizes[1], target = sizes[2], source = sizes[3],
                  depth = sizes[4];
    const Tensor::dims square{batch, heads, target, source};
    query = make(type, {batch, heads, target, depth});
    key = make(type, {batch, heads, source, depth});
    value = make(type, {batch, heads, source, depth});
    out = make(type, {batch, heads, target, depth});
    scale = make(Tensor::data_type::f32, {1});
    hidden = make(Tensor::data_type::f32, {1});
    Tensor products = make(Tensor::data_type::f32, square), scores = make(products);
    Tensor weights = make(type, square);
    op multiply(ids++, op::kind::MatMul, {query, key}, {products}, "products");
    multiply.set_attr<bool>(op::attr::transpose_b, true);
    graph.add_op(multiply);
    graph.add_op(op(ids++, op::kind::Multiply, {products, scale}, {scores}, "scores"));
    if (isCausal)
      scores = mask(scores, square);
    op softmax(ids++, op::kind::SoftMax, {scores}, {weights}, "softmax");
    softmax.set_attr<int64_t>(op::attr::axis, 3);
    softmax.set_attr<std::string>(op::attr::mode, "inf_as_zero");
    graph.add_op(softmax);
    graph.add_op(op(ids++, op::kind::MatMul, {weights, value}, {out}, "out"));
    graph.finalize();
  }

  partition whole() {
    std::vector<partition> parts = graph.get_partitions();
    if (parts.size() != 1 || !parts.front().is_supported())
      throw std::runtime_error("attention is not one supported partition");
    return parts.front();
  }

  Tensor query, key, value, out, scale, hidden;

private:
  Tensor make(Tensor::data_type type, const Tensor::dims &dims) {
    return {ids++, type, dims, Tensor::layout_type::strided};
  }
  Tensor make(const Tensor &like) { return make(like.get_data_type(), like.get_dims()); }

  /// Scores where key <= query, else `hidden`: the implicit causal mask that oneDNN knows.
  Tensor mask(const Tensor &scores, const Tensor::dims &square) {
    Tensor indices[2], keep = make(Tensor::data_type::boolean, square), masked = make(scores);
    for (int64_t axis : {0, 1}) {
      indices[axis] = make(Tensor::data_type::s32, square);
      op index(ids++, op::kind::GenIndex, {scores}, {indices[axis]}, "index");
      index.set_attr<int64_t>(op::attr::axis, axis + 2);
      graph.add_op(index);
    }
    graph.add_op(op(ids++, op::kind::GreaterEqual, {indices[0], indices[1]}, {keep}, "keep"));
    graph.add_op(op(ids++, op::kind::Select, {keep, scores, hidden}, {masked}, "masked"));
    return masked;
  }

  size_t ids = 0;
  dnnl::graph::graph graph;
};

struct Attention {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  float scale, hidden = -INFINITY;
  compiled_partition code;
  std::vector<tensor> inputs, outputs;
};
} // namespace

extern "C" {
const char *onednn_attention_error() { return message.c_str(); }

const char *onednn_attention_version() {
  const dnnl_version_t *version = dnnl_version();
  static std::string text = std::to_string(version->major) + "." + std::to_string(version->minor) +
                            "." + std::to_string(version->patch);
  return text.c_str();
}

/// sizes: N, H, L, S, D; buffers: query, key, value, out, dense. Null where oneDNN refuses.
void *onednn_attention_create(const int64_t *sizes, int isBfloat16, int isCausal,
                              void *const *buffers) try {
  auto attention = std::make_unique<Attention>();
  attention->scale = static_cast<float>(1 / std::sqrt(static_cast<double>(sizes[4])));
  AttentionGraph graph(sizes, isBfloat16 ? Tensor::data_type::bf16 : Tensor::data_type::f32,
                       isCausal != 0);
  partition part = graph.whole();
  attention->code =
      part.compile(part.get_input_ports(), part.get_output_ports(), attention->engine);
  const std::map<size_t, void *> memory{
      {graph.query.get_id(), buffers[0]},        {graph.key.get_id(), buffers[1]},
      {graph.value.get_id(), buffers[2]},        {graph.out.get_id(), buffers[3]},
      {graph.scale.get_id(), &attention->scale}, {graph.hidden.get_id(), &attention->hidden}};
  for (const Tensor &port : part.get_input_ports())
    attention->inputs.emplace_back(port, attention->engine, memory.at(port.get_id()));
  for (const Tensor &port : part.get_output_ports())
    attention->outputs.emplace_back(attention->code.query_logical_tensor(port.get_id()),
                                    attention->engine, memory.at(port.get_id()));
  return attention.release();
} catch (const std::exception &error) {
  message = error.what();
  return nullptr;
}

/// 0, or 1 where oneDNN fails.
int onednn_attention_run(void *handle) try {
  auto *attention = static_cast<Attention *>(handle);
  attention->code.execute(attention->stream, attention->inputs, attention->outputs);
  attention->stream.wait();
  return 0;
} catch (const std::exception &error) {
  message = error.what();
  return 1;
}
}
