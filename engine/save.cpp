#include "engine/save.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <ctime>

#include "core/error.h"
#include "core/parallel.h"
#include "engine/dicom_out.h"
#include "io/formats.h"
#include "io/nifti/nifti.h"
#include "io/png/png.h"
#include "io/table/csv.h"

namespace penta::engine {

namespace fs = std::filesystem;

namespace {

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string utc_text(std::time_t time, const char* format) {
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), format, &parts);
  return text.data();
}

Json row_of(std::string kind, const std::string& role, const std::string& file, const Produced& step,
            const std::string& series_uid) {
  return Json::object().set("kind", std::move(kind)).set("role", role).set("file", file)
      .set("made_by", step.method->card().id).set("series_uid", series_uid);
}

struct Writer {
  const fs::path& folder;
  const std::string& prefix;
  const Produced& step;
  std::string series_uid;
  Result& result;

  // Files are named as result.json names them: relative to the result folder.
  void put(const std::string& file, std::span<const std::byte> bytes, Json row) {
    io::write_file(folder / file, bytes);
    result.artifacts.push(std::move(row.set("file", prefix + file)));
  }

  void labels(const std::string& role, const LabelMap& labels) {
    Json segments = segments_json(labels);
    if (labels.planar && labels.grid().size()[2] == 1) {
      const std::string file = role + ".png";
      put(file, io::png::write(labels), row_of("labelmap", role, file, step, series_uid).set("segments", segments));
      return;
    }
    for (std::size_t layer = 0; layer < labels.layers.size(); ++layer) {
      const std::string file = role + (layer == 0 ? "" : "." + std::to_string(layer)) + ".nii.gz";
      Json row = row_of("labelmap", role, file, step, series_uid);
      put(file, io::nifti::write(labels, static_cast<int>(layer)), std::move(row.set("layer", layer).set("segments", segments)));
    }
  }

  void image(const std::string& role, const Image& image) {
    if (image.is_frames()) {
      frames(role, image);
      return;
    }
    const std::string file = role + ".nii.gz";
    Json row = row_of("volume", role, file, step, series_uid);
    row.set("unit", image.unit);
    if (image.acquisition.synthetic) row.set("synthetic", true);
    put(file, io::nifti::write(image), std::move(row));
  }

  void frames(const std::string& role, const Image& image) {
    int number = 0;
    for (const Frame2d& frame : image.frames()) {
      Picture picture(frame.width, frame.height);
      if (const auto* colour = std::get_if<std::vector<Rgb8>>(&frame.pixels)) {
        picture.pixels = *colour;
      } else {
        const std::vector<float> grey = frame.grey();
        for (std::size_t i = 0; i < grey.size(); ++i) {
          const auto v = static_cast<std::uint8_t>(std::min(255.F, std::max(0.F, grey[i] + 0.5F)));
          picture.pixels[i] = {v, v, v};
        }
      }
      const std::string file = role + (image.frames().size() > 1 ? "." + std::to_string(number) : "") + ".png";
      Json row = row_of("picture", role, file, step, series_uid);
      if (image.acquisition.synthetic) row.set("synthetic", true);
      put(file, io::png::write(picture), std::move(row.set("frame", number++)));
    }
  }

  void write(const Artifact& artifact) {
    if (const auto* map = std::get_if<LabelMap>(&artifact.value)) labels(artifact.role, *map);
    if (const auto* picture = std::get_if<Image>(&artifact.value)) image(artifact.role, *picture);
    if (const auto* table = std::get_if<Table>(&artifact.value)) {
      const std::string file = artifact.role + ".csv", text = io::table::write(*table);
      put(file, std::as_bytes(std::span(text)), row_of("table", artifact.role, file, step, series_uid));
    }
    if (const auto* picture = std::get_if<Picture>(&artifact.value)) {
      const std::string file = artifact.role + ".png";
      put(file, io::png::write(*picture), row_of("picture", artifact.role, file, step, series_uid));
    }
  }
};

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

}  // namespace

io::dicom::SegType seg_type_of(const std::string& word) {
  using enum io::dicom::SegType;
  if (word == "auto") return automatic;
  if (word == "binary") return binary;
  if (word == "labelmap") return labelmap;
  throw Error(Code::wrong_use, "--seg=" + word + ": expected auto, binary or labelmap");
}

Job start_job(std::string task, std::string method) {
  Job job;
  job.task = std::move(task);
  job.method = std::move(method);
  job.started_s = now_s();
  const char* fixed = std::getenv("SOURCE_DATE_EPOCH");
  job.creation_time = utc_text(fixed != nullptr ? std::atoll(fixed) : std::time(nullptr), "%Y%m%d%H%M%S");
  return job;
}

void make_folder(const fs::path& folder) {
  std::error_code fault;
  fs::create_directories(folder, fault);
  if (fault) throw Error(Code::output_failed, "making the folder '" + folder.string() + "': " + fault.message());
}

void save_artifacts(const fs::path& folder, const std::string& prefix, const Produced& step, const Image* source,
                    const Job& job, Result& result) {
  const std::string series_uid = step.inputs.empty() ? std::string() : step.inputs.front().series_uid;
  Writer writer{folder, prefix, step, series_uid, result};
  for (const Artifact& artifact : step.answer.artifacts) writer.write(artifact);
  for (DicomFile& file : dicom_outputs(step, source, job, result)) {
    Json row = row_of(file.kind, file.role, file.file, step, series_uid);
    make_folder((folder / file.file).parent_path());
    writer.put(file.file, file.bytes, std::move(row));
  }
}

void write_json(const fs::path& path, const Json& json) { io::write_file(path, bytes_of(json.dump() + "\n")); }

void write_run_json(const fs::path& out, const Job& job) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  Json json = Json::object();
  json.set("seconds", now_s() - job.started_s).set("peak_memory_mib", static_cast<double>(usage.ru_maxrss) / 1024.0);
  json.set("finished", utc_text(std::time(nullptr), "%Y-%m-%dT%H:%M:%SZ"));
  json.set("software", "penta " + job.software_version).set("threads", thread_count()).set("command", job.command);
  Json paths = Json::array();
  for (const std::string& path : job.paths) paths.push(path);
  json.set("paths", std::move(paths)).set("out", fs::absolute(out).string());
  write_json(out / "run.json", json);
}

void write_csv(const fs::path& path, const Measurements& measurements) {
  std::string text = std::string(csv_header) + "\n";
  for (const Measurement& m : measurements) {
    text += io::table::cell(m.series_uid) + "," + io::table::cell(m.made_by) + "," + io::table::cell(m.region) + "," +
            std::string(name_of(m.side)) + "," + io::table::cell(m.name) + "," + Json(m.value).dump() + "," +
            io::table::cell(m.unit) + "," + io::table::cell(m.formula) + "\n";
  }
  io::write_file(path, bytes_of(text));
}

namespace {

// The image that a step worked on: DICOM outputs refer to it and to no other.
const Image* source_of(const Runner& runner, const Produced& step) {
  if (step.inputs.empty()) return nullptr;
  for (const Supply& supply : runner.supplies())
    if (const auto* image = std::get_if<Image>(supply.content.get()))
      if (image->acquisition.series_uid == step.inputs.front().series_uid) return image;
  return nullptr;
}

}  // namespace

void save_method_run(const fs::path& out, const Runner& runner, const Produced& last, const Job& job,
                     std::span<const Remark> remarks) {
  make_folder(out);
  Result result;
  for (const Remark& remark : remarks) result.add(remark);
  for (const auto& step : runner.steps()) {
    const bool is_last = step.get() == &last;
    const std::string sub = is_last ? "" : runner.methods().folder_of(step->method->card());
    const std::size_t files_before = result.artifacts.items().size();
    if (!is_last) make_folder(out / sub);
    save_artifacts(is_last ? out : out / sub, sub.empty() ? "" : sub + "/", *step, source_of(runner, *step), job, result);
    if (!is_last && result.artifacts.items().size() == files_before) fs::remove(out / sub);
    result.add(*step, step->inputs.empty() ? "" : step->inputs.front().series_uid);
  }
  for (const Supply& supply : runner.supplies())
    for (const Remark& remark : remarks_of(*supply.content)) result.add(remark);
  const Card& card = last.method->card();
  Json json = Json::object();
  json.set("penta", job.software_version).set("task", name_of(card.task)).set("method", card.id);
  json.set("method_version", card.version).set("seed", static_cast<std::int64_t>(job.seed));
  json.set("parameters", last.parameters);
  json.set("notice", "research use, not a medical device");
  Json inputs = Json::array();
  for (const InputRecord& input : last.inputs) inputs.push(to_json(input));
  json.set("inputs", std::move(inputs));
  result.put_into(json);
  if (!result.all_measurements.empty()) write_csv(out / "measurements.csv", result.all_measurements);
  write_json(out / "result.json", json);
  write_run_json(out, job);
}

}  // namespace penta::engine
