#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/acquisition.h"
#include "core/coded.h"
#include "core/grid.h"
#include "io/dicom/write_common.h"

class DcmDataset;
class DcmItem;
class DcmTagKey;

/// What the writers share: values into a data set, the modules that every object has, and the part-10 bytes.
/// Inside io/dicom only.
namespace penta::io::dicom::parts {

/// Sets a text as it is; backslashes separate values. Throws Error{internal} that names the tag.
void put(DcmItem& item, const DcmTagKey& tag, std::string_view value);
/// Sets one free text: backslashes become slashes, control characters spaces, and it is cut to `longest` bytes
/// (LO 64, SH 16) at a character's border.
void put_text(DcmItem& item, const DcmTagKey& tag, std::string_view value, std::size_t longest = 64);
/// DS values, each of at most 16 characters (PS3.5 6.2).
void put_decimals(DcmItem& item, const DcmTagKey& tag, std::span<const double> values);
void put_decimal(DcmItem& item, const DcmTagKey& tag, double value);
void put_integer(DcmItem& item, const DcmTagKey& tag, std::int64_t value);  ///< IS
void put_u16(DcmItem& item, const DcmTagKey& tag, std::uint16_t value);
void put_u16s(DcmItem& item, const DcmTagKey& tag, std::span<const std::uint16_t> values);
void put_u32(DcmItem& item, const DcmTagKey& tag, std::uint32_t value);
void put_u32s(DcmItem& item, const DcmTagKey& tag, std::span<const std::uint32_t> values);
void put_double(DcmItem& item, const DcmTagKey& tag, double value);         ///< FD
void put_tag(DcmItem& item, const DcmTagKey& tag, const DcmTagKey& value);  ///< AT
void put_pixels(DcmItem& item, std::span<const std::uint8_t> bytes);        ///< OB, padded to an even length
void put_pixels(DcmItem& item, std::span<const std::uint16_t> words);       ///< OW

void put_empty_sequence(DcmItem& item, const DcmTagKey& tag);
void put_float(DcmItem& item, const DcmTagKey& tag, std::span<const float> values);  ///< FL

/// A new item at the end of a sequence.
[[nodiscard]] DcmItem& add_item(DcmItem& item, const DcmTagKey& sequence);
void add_code(DcmItem& item, const DcmTagKey& sequence, const CodedConcept& code);
void add_reference(DcmItem& item, const DcmTagKey& sequence, const SourceInstance& instance);

/// A number as DICOM writes it, in at most 16 characters.
[[nodiscard]] std::string decimal_text(double value);
/// The number that a reader gets from that text.
[[nodiscard]] double as_written(double value);
[[nodiscard]] std::string uid_for(const Provenance& provenance, std::string_view purpose, std::int64_t index = 0);
/// The study that a written object joins: the source's, or a new one.
[[nodiscard]] std::string study_uid_of(const Acquisition& source, const Provenance& provenance);

/// Patient, General Study (PS3.3 C.7.1.1, C.7.2.1) of the source, or without identity.
void put_patient_and_study(DcmDataset& data, const Acquisition& source, const Provenance& provenance);
/// General and Enhanced General Equipment, SOP Common, Instance Creation, Synthetic Data.
void put_equipment_and_sop(DcmDataset& data, const char* sop_class, const std::string& sop_instance_uid,
                           const Acquisition& source, const Provenance& provenance);
void put_series(DcmDataset& data, std::string_view modality, const std::string& series_uid, int number,
                std::string_view description, const Acquisition& source, const Provenance& provenance);
/// Contributing Equipment Sequence (PS3.3 C.12.1) with the method and its version.
void put_contributing_equipment(DcmDataset& data, const Provenance& provenance);
void put_frame_of_reference(DcmDataset& data, const Acquisition& source, const Provenance& provenance);
/// Body Part Examined, and Laterality (PS3.3 C.7.3.1, type 2C): empty, for it is not known, unless the part is unpaired
/// (PS3.16 table L-1), where it must be absent.
void put_body_part(DcmDataset& data, const Acquisition& source);
/// Content date and time, and the like, from the creation time.
void put_moment(DcmDataset& data, const DcmTagKey& date, const DcmTagKey& time, const Provenance& provenance);
/// Row and column direction cosines, as Image Orientation (Patient).
void put_orientation(DcmItem& item, const Grid& grid);
void put_position(DcmItem& item, const PatientPoint& point);

/// Part-10 bytes, explicit (or implicit) VR little endian.
[[nodiscard]] std::vector<std::byte> to_bytes(DcmDataset& data, bool implicit = false);
/// The same, explicit, with an encapsulated transfer syntax in the meta header: its frames are then appended.
[[nodiscard]] std::vector<std::byte> to_bytes_as(DcmDataset& data, const char* transfer_syntax);

/// Bytes of `count` items of a sequence, which `fill` sets one by one and on several threads: objects of tens of
/// thousands of frames are never held as elements all at once.
using FillItem = std::function<void(std::int64_t index, DcmItem& item)>;
[[nodiscard]] std::vector<std::byte> item_bytes(std::int64_t count, const FillItem& fill);
/// Appends what stands behind all that to_bytes wrote: the element's header (explicit VR little endian, 32-bit length)
/// and, for a sequence, its items. Throws Error{bad_input} on 4 GiB or more.
void append_element(std::vector<std::byte>& bytes, const DcmTagKey& tag, std::string_view vr, std::uint64_t length);
void append_sequence(std::vector<std::byte>& bytes, const DcmTagKey& tag, std::span<const std::byte> items);

}  // namespace penta::io::dicom::parts
