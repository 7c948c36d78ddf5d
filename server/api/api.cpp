#include "server/api/api.h"

#include <map>
#include <memory>
#include <mutex>

#include "engine/jobs/job_request.h"
#include "server/api/events.h"
#include "server/api/parameters.h"
#include "server/api/results.h"
#include "server/api/studies.h"

namespace penta {

// Made by the build from server/api/openapi.json.
const std::map<std::string, std::string>& openapi_files();

}  // namespace penta

namespace penta::server {

namespace {

using engine::Archive;
using engine::JobQueue;
using engine::JobRecord;

Response say_health(const std::string& version, const Request& request) {
  check_query(request, {});
  return json_response(Json::object().set("status", "ok").set("version", version));
}

Response list_methods(const JobQueue& queue, const Request& request) {
  check_query(request, {});
  Json list = Json::array();
  for (const MethodPtr& method : queue.methods().all()) list.push(method->card().whole);
  return json_response(Json::object().set("methods", std::move(list)).set("research_use", "research use, not a medical device"));
}

Response submit(JobQueue& queue, const Request& request) {
  check_query(request, {});
  const Json body = body_of(request);
  const Json* priority = body.find("priority");
  const bool known = priority == nullptr || (priority->is_string() && (priority->text() == "interactive" || priority->text() == "batch"));
  if (!known) throw HttpError(400, "'priority' is interactive or batch");
  try {
    const bool interactive = priority == nullptr || priority->text() == "interactive";
    return json_response(engine::json_of(queue.submit(body, interactive, request.client)), 201);
  } catch (const Error& fault) {
    if (fault.code() == Code::bad_input || fault.code() == Code::wrong_use) throw HttpError(400, fault.what());
    if (fault.code() == Code::nothing_to_do) throw HttpError(404, fault.what());
    if (fault.code() == Code::out_of_memory) throw HttpError(409, fault.what());
    throw;
  }
}

Response list_jobs(engine::Catalogue& catalogue, const JobQueue& queue, const Request& request) {
  check_query(request, {"study_uid", "state", "limit"});
  std::optional<engine::JobState> state;
  try {
    if (const auto asked = request.asked("state")) state = engine::state_named(*asked);
  } catch (const Error& fault) {
    throw HttpError(400, fault.what());
  }
  const std::string study = uid_asked(request, "study_uid");
  Json list = Json::array();
  for (const JobRecord& job : catalogue.jobs(study, state, number_asked(request, "limit", 100, 1, 1000)))
    list.push(engine::json_of(job.state == engine::JobState::running ? queue.job(job.id).value_or(job) : job));
  return json_response(Json::object().set("jobs", std::move(list)));
}

Response one_job(const JobQueue& queue, const Request& request) {
  check_query(request, {});
  const std::int64_t id = id_in_path(request);
  const std::optional<JobRecord> job = queue.job(id);
  if (!job) throw HttpError(404, "there is no job " + std::to_string(id));
  return json_response(engine::json_of(*job));
}

// What a person does with a job: 404 for one that is not there, 409 where its state does not allow it.
using Act = JobRecord (JobQueue::*)(std::int64_t, const std::string&);
Handler act(JobQueue& queue, Act what) {
  return [&queue, what](const Request& request) {
    check_query(request, {});
    const std::int64_t id = id_in_path(request);
    try {
      return json_response(engine::json_of((queue.*what)(id, request.client)));
    } catch (const Error& fault) {
      if (fault.code() == Code::nothing_to_do) throw HttpError(404, fault.what());
      if (fault.code() == Code::cancelled) throw HttpError(409, fault.what());
      throw;
    }
  };
}

Response newest_report(engine::Catalogue& catalogue, const Request& request) {
  check_query(request, {});
  const std::string study = uid_in_path(request, "study");
  for (const JobRecord& job : catalogue.jobs(study, std::nullopt, 1000)) {
    const bool finished = job.state == engine::JobState::done || job.state == engine::JobState::partly_done;
    if (finished && job.request.text_or("task", "") == "report") return json_response(Json::object().set("job_id", job.id));
  }
  throw HttpError(404, "there is no finished report of study " + study);
}

Response audit_trail(engine::Catalogue& catalogue, const Request& request) {
  check_query(request, {"limit"});
  Json list = Json::array();
  for (const engine::AuditEvent& event : catalogue.audit_trail(number_asked(request, "limit", 100, 1, 10000)))
    list.push(Json::object().set("at_ms", event.at_ms).set("who", event.who).set("action", event.action).set("object", event.object).set("outcome", event.outcome));
  return json_response(Json::object().set("events", std::move(list)));
}

void add_job_routes(Routes& routes, Archive& archive, JobQueue& queue) {
  engine::Catalogue& catalogue = archive.catalogue();
  routes.push_back({"POST", "/api/jobs", [&queue](const Request& r) { return submit(queue, r); }});
  routes.push_back({"GET", "/api/jobs", [&catalogue, &queue](const Request& r) { return list_jobs(catalogue, queue, r); }});
  routes.push_back({"GET", "/api/jobs/{id}", [&queue](const Request& r) { return one_job(queue, r); }});
  routes.push_back({"POST", "/api/jobs/{id}/cancel", act(queue, &JobQueue::cancel)});
  routes.push_back({"POST", "/api/jobs/{id}/retry", act(queue, &JobQueue::retry)});
  routes.push_back({"POST", "/api/jobs/{id}/accept", act(queue, &JobQueue::accept)});
  routes.push_back({"POST", "/api/jobs/{id}/reject", act(queue, &JobQueue::reject)});
  routes.push_back({"GET", "/api/jobs/{id}/events", [&queue](const Request& r) {
                      check_query(r, {});
                      return events(queue, id_in_path(r));
                    }});
  routes.push_back({"GET", "/api/jobs/{id}/result", [&queue](const Request& r) { return job_result(queue, r); }});
  routes.push_back({"GET", "/api/jobs/{id}/files", [&queue](const Request& r) { return job_files(queue, r); }});
  routes.push_back({"GET", "/api/jobs/{id}/files/{name*}", [&queue](const Request& r) { return job_file(queue, r); }});
}

}  // namespace

Routes api_routes(Archive& archive, JobQueue& queue, const ApiSettings& settings) {
  Routes routes;
  engine::Catalogue& catalogue = archive.catalogue();
  routes.push_back({"GET", "/api/openapi.json", [](const Request& r) {
                      check_query(r, {});
                      return Response{200, {{"Content-Type", "application/json"}}, openapi_files().at("server/api/openapi.json")};
                    }});
  routes.push_back({"GET", "/api/health", [version = settings.version](const Request& r) { return say_health(version, r); }});
  routes.push_back({"GET", "/api/methods", [&queue](const Request& r) { return list_methods(queue, r); }});
  routes.push_back({"GET", "/api/studies", [&archive](const Request& r) { return list_studies(archive, r); }});
  routes.push_back({"GET", "/api/studies/{study}", [&archive](const Request& r) { return one_study(archive, r); }});
  routes.push_back({"DELETE", "/api/studies/{study}", [&archive](const Request& r) { return remove_study(archive, r); }});
  add_job_routes(routes, archive, queue);
  routes.push_back({"GET", "/api/events", [&queue](const Request& r) {
                      check_query(r, {});
                      return events(queue, std::nullopt);
                    }});
  routes.push_back({"GET", "/api/reports/{study}", [&catalogue](const Request& r) { return newest_report(catalogue, r); }});
  routes.push_back({"GET", "/api/rules", [rules = settings.rules](const Request& r) {
                      check_query(r, {});
                      return json_response(rules);
                    }});
  routes.push_back({"GET", "/api/audit", [&catalogue](const Request& r) { return audit_trail(catalogue, r); }});
  return routes;
}

}  // namespace penta::server
