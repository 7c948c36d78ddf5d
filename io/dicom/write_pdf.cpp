#include "io/dicom/write_pdf.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <set>
#include <string_view>

#include "core/error.h"
#include "io/dicom/write_parts.h"

namespace penta::io::dicom {

namespace {

void check(std::span<const std::byte> pdf) {
  constexpr std::string_view magic = "%PDF-";
  const std::string_view start(reinterpret_cast<const char*>(pdf.data()), std::min(pdf.size(), magic.size()));
  if (start != magic) throw Error(Code::bad_input, "writing an encapsulated PDF: these bytes are no PDF");
  if (pdf.size() >= 0xFFFFFFFEU) throw Error(Code::bad_input, "writing an encapsulated PDF: more than 4 GiB");
}

// Required where the document was made from instances; each named once.
void put_sources(DcmDataset& data, const Acquisition& source) {
  std::set<std::string> seen;
  for (const SourceInstance& instance : source.instances)
    if (!instance.sop_instance_uid.empty() && !instance.sop_class_uid.empty() && seen.insert(instance.sop_instance_uid).second)
      parts::add_reference(data, DCM_SourceInstanceSequence, {instance.sop_class_uid, instance.sop_instance_uid, 0});
}

}  // namespace

std::vector<std::byte> write_encapsulated_pdf(std::span<const std::byte> pdf, const std::string& title,
                                              const Acquisition& source, const Provenance& provenance) {
  check(pdf);
  DcmDataset data;
  parts::put_patient_and_study(data, source, provenance);
  parts::put_series(data, "DOC", parts::uid_for(provenance, "pdf series"), 901, "Report", source, provenance);
  parts::put_equipment_and_sop(data, UID_EncapsulatedPDFStorage, parts::uid_for(provenance, "pdf"), source, provenance);
  parts::put_contributing_equipment(data, provenance);
  parts::put(data, DCM_ConversionType, "WSD");
  parts::put_integer(data, DCM_InstanceNumber, 1);
  parts::put_moment(data, DCM_ContentDate, DCM_ContentTime, provenance);
  parts::put(data, DCM_AcquisitionDateTime, "");
  parts::put(data, DCM_BurnedInAnnotation, provenance.deidentified ? "NO" : "YES");
  put_sources(data, source);
  parts::put_text(data, DCM_DocumentTitle, title, 1024);
  parts::add_code(data, DCM_ConceptNameCodeSequence, {"LN", "18748-4", "Diagnostic imaging report"});
  parts::put(data, DCM_MIMETypeOfEncapsulatedDocument, "application/pdf");
  std::vector<std::uint8_t> bytes(pdf.size());
  std::copy(pdf.begin(), pdf.end(), reinterpret_cast<std::byte*>(bytes.data()));
  if (bytes.size() % 2 != 0) bytes.push_back(0);
  if (data.putAndInsertUint8Array(DCM_EncapsulatedDocument, bytes.data(), bytes.size()).bad())
    throw Error(Code::internal, "writing an encapsulated PDF: no memory");
  parts::put_u32(data, DCM_EncapsulatedDocumentLength, static_cast<std::uint32_t>(pdf.size()));
  return parts::to_bytes(data);
}

}  // namespace penta::io::dicom
