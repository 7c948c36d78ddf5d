#include "engine/result_json.h"

namespace penta::engine {

namespace {

std::string_view name_of(PlanarRegion::Shape shape) {
  switch (shape) {
    case PlanarRegion::Shape::point: return "point";
    case PlanarRegion::Shape::multipoint: return "multipoint";
    case PlanarRegion::Shape::polyline: return "polyline";
    case PlanarRegion::Shape::circle: return "circle";
    case PlanarRegion::Shape::ellipse: break;
  }
  return "ellipse";
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json instance_json(const SourceInstance& instance) {
  Json json = Json::object();
  json.set("sop_class_uid", instance.sop_class_uid).set("sop_instance_uid", instance.sop_instance_uid);
  return json.set("frame", instance.frame);
}

Json region_json(const PlanarRegion& region) {
  Json points = Json::array();
  for (const auto& point : region.points_px) points.push(Json::array().push(point[0]).push(point[1]));
  Json json = Json::object();
  json.set("tracking_id", text_or_null(region.tracking_id)).set("shape", name_of(region.shape));
  return json.set("image", instance_json(region.image)).set("points_px", std::move(points));
}

Json quantity_json(const Quantity& quantity) {
  Json json = Json::object();
  json.set("code", to_json(quantity.name)).set("value", quantity.value ? Json(*quantity.value) : Json());
  json.set("unit", quantity.unit.value).set("derivation", to_json(quantity.derivation));
  return json.set("label", text_or_null(quantity.label));
}

template <class Entries, class Make>
Json list_of(const Entries& entries, const Make& make) {
  Json list = Json::array();
  for (const auto& entry : entries) list.push(make(entry));
  return list;
}

Json group_json(const MeasurementGroup& group) {
  Json json = Json::object();
  json.set("template", text_or_null(group.template_id)).set("tracking_id", text_or_null(group.tracking_id));
  json.set("finding", to_json(group.finding)).set("site", to_json(group.site));
  json.set("side", text_or_null(std::string(penta::name_of(group.side))));
  json.set("quantities", list_of(group.quantities, quantity_json));
  return json.set("regions", list_of(group.planar, region_json));
}

}  // namespace

Json to_json(const StructuredReport& report) {
  const auto entry = [](const auto& e) { return to_json(e); };
  Json json = Json::object();
  json.set("title", to_json(report.title)).set("template", text_or_null(report.template_id));
  json.set("measurements", list_of(report.measurements, entry)).set("findings", list_of(report.findings, entry));
  json.set("groups", list_of(report.groups, group_json)).set("regions", list_of(report.regions, region_json));
  return json.set("referenced", list_of(report.referenced, instance_json)).set("remarks", list_of(report.remarks, entry));
}

}  // namespace penta::engine
