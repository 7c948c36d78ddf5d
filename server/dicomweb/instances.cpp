#include <algorithm>

#include "server/dicomweb/backend.h"
#include "server/dicomweb/common.h"
#include "server/http/multipart.h"
#include "server/http/text.h"

namespace penta::server {

namespace {

constexpr std::string_view dicom_type = "application/dicom";

/// How instances shall be sent.
struct Form {
  bool multipart = true;
  bool as_stored = false;
  std::string syntax = std::string(explicit_little_endian);  ///< PS3.18 table 8.7.3-2: the default
};

bool sent_as_stored(const Form& form, const engine::StoredInstance& instance) {
  return form.as_stored || instance.index.transfer_syntax == form.syntax;
}

/// Whether every instance can be sent so.
bool can_send(const Form& form, const std::vector<engine::StoredInstance>& instances) {
  return std::all_of(instances.begin(), instances.end(), [&](const engine::StoredInstance& one) {
    return sent_as_stored(form, one) ||
           (form.syntax == explicit_little_endian && can_be_decoded(one.index.transfer_syntax));
  });
}

Form choose_form(const Request& request, const std::vector<engine::StoredInstance>& instances) {
  for (const MediaType& range : accepted(request)) {
    const bool related = range.takes("multipart/related") &&
                         lower(range.parameter("type").value_or(std::string(dicom_type))) == dicom_type;
    const bool plain = !related && range.takes(dicom_type) && instances.size() == 1;
    if (!related && !plain) continue;
    Form form;
    form.multipart = related;
    const std::string syntax = range.parameter("transfer-syntax").value_or(form.syntax);
    form.as_stored = syntax == "*";
    form.syntax = syntax;
    if (can_send(form, instances)) return form;
  }
  throw HttpError(406,
                  "instances are offered as multipart/related; type=\"application/dicom\" (one also as "
                  "application/dicom), as they are stored or in Explicit VR Little Endian, video only as it is stored");
}

std::string content_type(const Form& form, const engine::StoredInstance& instance) {
  const bool stored = sent_as_stored(form, instance);
  return std::string(dicom_type) + "; transfer-syntax=" + (stored ? instance.index.transfer_syntax : form.syntax);
}

Response one_instance(const Backend& backend, const Form& form, const engine::StoredInstance& instance) {
  const std::string etag = "\"" + instance.sha256 + (sent_as_stored(form, instance) ? "" : "-" + form.syntax) + "\"";
  Response out{200, {{"Content-Type", content_type(form, instance)}, {"ETag", etag}}, {}};
  if (sent_as_stored(form, instance)) {
    out.body = FileBody{backend.path_of(instance)};
  } else {
    const auto bytes = backend.transcoded(backend.path_of(instance), form.syntax);
    out.body = std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return out;
}

PiecesBody stored_parts(const Backend& backend, const Form& form, const std::vector<engine::StoredInstance>& instances,
                        const std::string& boundary) {
  PiecesBody out;
  for (const auto& one : instances) {
    out.emplace_back(part_head(boundary, content_type(form, one)));
    out.emplace_back(FileBody{backend.path_of(one), 0, one.bytes});
  }
  out.emplace_back(multipart_end(boundary));
  return out;
}

/// One instance after another, each in memory only while it is sent.
StreamBody transcoded_parts(const Backend& backend, const Form& form, std::vector<engine::StoredInstance> instances,
                            const std::string& boundary) {
  return [backend, form, instances = std::move(instances), boundary](const Writer& writer) {
    for (const auto& one : instances) {
      // What needs no change goes through the worker as well: it reads the file, and this way there is one path.
      const auto bytes = backend.transcoded(backend.path_of(one), form.syntax);
      const std::string head = part_head(boundary, content_type(form, one));
      if (!writer(std::as_bytes(std::span(head))) || !writer(bytes)) return;
    }
    const std::string end = multipart_end(boundary);
    (void)writer(std::as_bytes(std::span(end)));
  };
}

Response retrieve(const Backend& backend, const Request& request) {
  const PathUids uids = uids_of(request);
  auto instances = backend.catalogue->files(uids.study, uids.series, uids.instance);
  if (instances.empty()) throw HttpError(404, "there is no such study, series or instance");
  const Form form = choose_form(request, instances);
  if (!form.multipart) return one_instance(backend, form, instances[0]);
  const std::string boundary = new_boundary();
  Response out{200, {{"Content-Type", related_type(dicom_type, boundary)}}, {}};
  const bool stored = std::all_of(instances.begin(), instances.end(),
                                  [&](const engine::StoredInstance& one) { return sent_as_stored(form, one); });
  if (stored)
    out.body = stored_parts(backend, form, instances, boundary);
  else
    out.body = transcoded_parts(backend, form, std::move(instances), boundary);
  return out;
}

}  // namespace

Routes instance_routes(const Backend& backend) {
  const auto answer = [backend](const Request& request) { return retrieve(backend, request); };
  return {{"GET", "/dicomweb/studies/{study}", answer},
          {"GET", "/dicomweb/studies/{study}/series/{series}", answer},
          {"GET", "/dicomweb/studies/{study}/series/{series}/instances/{instance}", answer}};
}

}  // namespace penta::server
