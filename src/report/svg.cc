#include "report/svg.h"

#include <duktape.h>

#include <string_view>
#include <utility>

#include "report/charting_library.h"

namespace bittern::report {
namespace {

// What the library takes for granted, and the one function that we call.
constexpr std::string_view kBefore = R"js(
var console = {log: function() {}, warn: function() {}, error: function() {}};
var setTimeout = function() { return 0; };
var clearTimeout = function() {};
)js";
constexpr std::string_view kAfter = R"js(
function draw(option, width, height, name) {
  var chart = echarts.init(null, null, {renderer: 'svg', ssr: true, width: width, height: height});
  chart.setOption(JSON.parse(option));
  var text = chart.renderToSVGString();
  chart.dispose();
  // Its names count on from chart to chart: here they begin anew, and are the chart's own.
  var names = {};
  var count = 0;
  return text.replace(/zr\d+-(cls-|c)\d+/g, function (found) {
    if (!names[found]) names[found] = name + '-' + ++count;
    return names[found];
  });
}
)js";

}  // namespace

struct SvgRenderer::Interpreter {
  Interpreter() : heap(duk_create_heap_default()) {}
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;
  ~Interpreter() {
    if (heap != nullptr) duk_destroy_heap(heap);
  }

  // Takes what lies on top of the stack.
  std::string pop_text() {
    duk_size_t size = 0;
    const char* text = duk_safe_to_lstring(heap, -1, &size);
    std::string result(text, size);
    duk_pop(heap);
    return result;
  }

  Status run(std::string_view script) {
    const bool failed = duk_peval_lstring(heap, script.data(), script.size()) != 0;
    const std::string result = pop_text();
    if (failed) return Error{ErrorCode::kInternal, "charts: " + result};
    return {};
  }

  duk_context* heap;
};

Expected<SvgRenderer> SvgRenderer::create() {
  auto interpreter = std::make_unique<Interpreter>();
  if (interpreter->heap == nullptr)
    return Error{ErrorCode::kOutOfMemory, "charts: no memory for drawing them"};
  for (const std::string_view script : {kBefore, charting_library(), kAfter})
    BITTERN_RETURN_IF_ERROR(interpreter->run(script));
  return SvgRenderer(std::move(interpreter));
}

SvgRenderer::SvgRenderer(std::unique_ptr<Interpreter> interpreter) : interpreter_(std::move(interpreter)) {}
SvgRenderer::SvgRenderer(SvgRenderer&&) noexcept = default;
SvgRenderer& SvgRenderer::operator=(SvgRenderer&&) noexcept = default;
SvgRenderer::~SvgRenderer() = default;

Expected<std::string> SvgRenderer::render(const Chart& chart, int width) {
  duk_context* heap = interpreter_->heap;
  const std::string option =
      chart.option.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
  duk_get_global_string(heap, "draw");
  duk_push_lstring(heap, option.data(), option.size());
  duk_push_int(heap, width);
  duk_push_int(heap, chart.height);
  duk_push_lstring(heap, chart.name.data(), chart.name.size());
  const bool failed = duk_pcall(heap, 4) != DUK_EXEC_SUCCESS;
  std::string result = interpreter_->pop_text();
  if (failed) return Error{ErrorCode::kInternal, "chart " + chart.name + ": " + result};
  return result;
}

}  // namespace bittern::report
