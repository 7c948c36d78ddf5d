#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/remark.h"
#include "io/content.h"

namespace penta::io::dicom {

/// True when the bytes start as a DICOM file (PS3.10 7.1: DICM after 128 bytes, or a data set without
/// preamble whose first tags are of group 0002 or 0008).
[[nodiscard]] bool sniff(std::span<const std::byte> bytes) noexcept;

struct ParsedSeries;

enum class SeriesKind { volume, frames, projections, contours, segmentation, report, other };

/// One thing that can be read out of a set of DICOM files: usually one series; a series that mixes orientations,
/// sizes or a localiser gives several. `other` is a kind not yet read: a named fault, never a missing row.
struct Series {
  SeriesKind kind = SeriesKind::other;
  Acquisition acquisition;  ///< of the first instance
  std::string sop_class, transfer_syntax, shape;
  std::vector<std::filesystem::path> files;  ///< in slice (or instance) order
  std::vector<std::vector<int>> frames;      ///< by file, those that belong to it; empty: all frames of all files
  std::vector<Remark> faults;
  /// What scan found in the headers, so that read need not parse files again that have not changed. May be absent.
  std::shared_ptr<const ParsedSeries> parsed{};
};

struct Catalogue {
  std::vector<Series> series;     ///< in the order: study, series number, series UID
  std::vector<Remark> faults;     ///< files that could not be read, each named
};

/// Reads the headers of `files` (in parallel, pixels left alone), sorts them into series. Never throws for a bad file.
[[nodiscard]] Catalogue scan(std::span<const std::filesystem::path> files);

/// Reads one series: Image (volume, frames, or a SliceStack where slices are uneven or tilted), RawData (NM
/// projections), Contours (RTSTRUCT), LabelMap (SEG) or StructuredReport (SR). Values are rescaled: CT in HU, PET as
/// (0054,1001) says.
/// Throws Error{bad_input} that names the file and what is wrong with it.
[[nodiscard]] Content read(const Series& series);

/// Reads one instance from memory, as the fuzzer does.
[[nodiscard]] Content read_bytes(std::span<const std::byte> bytes, const std::string& name);

}  // namespace penta::io::dicom
