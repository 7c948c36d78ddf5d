#include "server/http/router.h"

#include <gtest/gtest.h>

namespace penta::server {
namespace {

Route named(const std::string& method, const std::string& pattern) {
  return {method, pattern, [pattern](const Request& request) {
            std::string text = pattern;
            for (const auto& [name, value] : request.vars) text += " " + name + "=" + value;
            return Response{200, {}, text};
          }};
}

struct Answer {
  int status;
  std::string text;
  std::string allow;
};

Answer ask(const std::string& method, const std::string& path) {
  const Router router({named("GET", "/{rest*}"), named("GET", "/api/studies"), named("GET", "/api/studies/{study}"),
                       named("DELETE", "/api/studies/{study}"), named("POST", "/api/jobs"),
                       named("GET", "/api/jobs/{id}/files/{name*}"), named("GET", "/api/jobs/{id}/files")});
  Request request;
  request.method = method;
  try {
    const Response response = router.answer(request, *parse_target(path));
    return {response.status, std::get<std::string>(response.body), header_of(response.headers, "Allow").value_or("")};
  } catch (const HttpError& error) {
    return {error.status(), error.what(), ""};
  }
}

TEST(Router, NamesBeforeVariablesBeforeTheRest) {
  EXPECT_EQ(ask("GET", "/api/studies").text, "/api/studies");
  EXPECT_EQ(ask("GET", "/api/studies/1.2%2B3").text, "/api/studies/{study} study=1.2+3");
  EXPECT_EQ(ask("GET", "/api/jobs/4/files/a/b%20c").text, "/api/jobs/{id}/files/{name*} id=4 name=a/b c");
  EXPECT_EQ(ask("GET", "/api/jobs/4/files").text, "/api/jobs/{id}/files id=4");
  EXPECT_EQ(ask("HEAD", "/").text, "/{rest*} rest=");
  EXPECT_EQ(ask("GET", "/viewer/1.2").text, "/{rest*} rest=viewer/1.2");
}

TEST(Router, ThePageTakesNothingOfTheApi) {
  EXPECT_EQ(ask("GET", "/api/nothing").status, 404);
  EXPECT_EQ(ask("GET", "/api/studies/").status, 404);
}

TEST(Router, OtherMethodsAreNamed) {
  const Answer answer = ask("PUT", "/api/studies/1");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.allow, "GET, HEAD, DELETE");
  EXPECT_EQ(ask("GET", "/api/jobs").allow, "POST");
}

}  // namespace
}  // namespace penta::server
