#include "engine/jobs/worker_main.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "core/error.h"
#include "core/parallel.h"
#include "engine/jobs/index_json.h"
#include "engine/jobs/render_frame.h"
#include "engine/jobs/sandbox.h"
#include "engine/jobs/workers.h"
#include "io/dicom/web.h"

namespace penta::engine {

namespace {

// A worker lives for this many times the processor seconds of one request, and retires at half of them.
constexpr int lives_for_requests = 8;

Json error_json(Code code, const std::string& text) {
  return Json::object().set("error", Json::object().set("code", code_row(code).name).set("text", text));
}

Message text_answer(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {Json::object(), {bytes.begin(), bytes.end()}};
}

Message index_answer(const Json& request) {
  const InstanceIndex index = io::dicom::web_index(std::filesystem::path(request.at("path").text()));
  Message answer;
  answer.header = Json::object().set("index", json_of(index));
  const auto bytes = std::as_bytes(std::span(index.metadata.data(), index.metadata.size()));
  answer.payload.assign(bytes.begin(), bytes.end());
  return answer;
}

std::vector<std::byte> transcoded_file(const std::string& path, const std::string& transfer_syntax) {
  if (transfer_syntax != "1.2.840.10008.1.2.1")
    throw Error(Code::bad_input, "instances are offered in Explicit VR Little Endian, not in " + transfer_syntax);
  return io::dicom::as_explicit_little_endian(path);
}

RenderRequest render_request(const Json& request) {
  RenderRequest render;
  render.path = request.at("path").text();
  render.frame = request.at("frame").integer();
  render.window_centre = request.at("centre").number();
  render.window_width = request.at("width_of_window").number();
  render.width = request.at("width").integer();
  render.height = request.at("height").integer();
  render.media_type = request.at("type").text();
  render.quality = static_cast<int>(request.at("quality").integer());
  return render;
}

// Never lets an exception out: whatever a file does to its reader costs that request.
Message answered(const Json& request) {
  try {
    return answer_request(request);
  } catch (const Error& fault) {
    return {error_json(fault.code(), fault.what()), {}};
  } catch (const std::bad_alloc&) {
    return {error_json(Code::bad_input, "reading it needs more memory than a worker may use"), {}};
  } catch (const std::exception& fault) {
    return {error_json(Code::internal, fault.what()), {}};
  }
}

bool is_old(const WorkerLimits& limits) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return used.ru_utime.tv_sec + used.ru_stime.tv_sec > limits.seconds.count() * lives_for_requests / 2;
}

}  // namespace

Message answer_request(const Json& request) {
  const std::string what = request.at("do").text();
  if (what == "index") return index_answer(request);
  if (what == "rendered") return {Json::object(), rendered_picture(render_request(request))};
  if (what == "native_frame") return {Json::object(), io::dicom::native_frame(request.at("path").text(), request.at("frame").integer()).bytes};
  if (what == "transcoded") return {Json::object(), transcoded_file(request.at("path").text(), request.at("transfer_syntax").text())};
  if (what == "bulk") return {Json::object(), io::dicom::bulk_value(request.at("path").text(), request.at("element").text())};
  // So that tests see what a reader that breaks or is taken over costs. Only the server itself can ask for these.
  if (what == "crash") std::abort();
  if (what == "try_forbidden") return text_answer(what_is_barred());
  throw Error(Code::wrong_use, "a worker does not know how to do '" + what + "'");
}

int worker_main(int socket, const WorkerLimits& limits) {
  SandboxLimits sandbox;
  sandbox.memory_gb = limits.memory_gb;
  sandbox.processor = limits.seconds * lives_for_requests;
  enter_sandbox(sandbox);
  const ThreadLimit threads(2);
  while (const std::optional<Message> request = receive_message(socket)) {
    Message answer = answered(request->header);
    const bool retires = is_old(limits);
    if (retires) answer.header.set("retires", true);
    send_message(socket, answer.header, answer.payload);
    if (retires) break;
  }
  return 0;
}

}  // namespace penta::engine
