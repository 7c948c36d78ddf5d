#include "server/http/server.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "server/http/client_test.h"

namespace penta::server {
namespace {

/// A file that goes with the test.
struct TempFile {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("penta_http_" + std::to_string(::getpid()));
  explicit TempFile(const std::string& text) { std::ofstream(path) << text; }
  ~TempFile() { std::filesystem::remove(path); }
};

Routes test_routes(const std::filesystem::path& file = {}) {
  return {{"GET", "/text",
           [](const Request&) {
             return Response{200, {{"Content-Type", "text/plain"}, {"ETag", "\"t\""}}, "hello"};
           }},
          {"GET", "/page",
           [](const Request&) {
             return Response{200, {{"Content-Type", "text/html"}}, "<p>"};
           }},
          {"POST", "/echo",
           [](const Request& request) {
             return Response{200, {}, request.text(1 << 22)};
           }},
          {"POST", "/ignore",
           [](const Request&) {
             return Response{200, {}, "no"};
           }},
          {"GET", "/stream",
           [](const Request&) {
             return Response{200, {}, StreamBody([](const Writer& write) {
                               for (const std::string_view piece : {"one ", "two ", "three"})
                                 write(std::as_bytes(std::span(piece)));
                             })};
           }},
          {"GET", "/stream/late",
           [](const Request&) {
             return Response{200, {}, StreamBody([](const Writer& write) {
                               write(std::as_bytes(std::span(std::string_view("begun"))));
                               throw Error(Code::bad_input, "in the middle");
                             })};
           }},
          {"GET", "/stream/early",
           [](const Request&) {
             return Response{200, {}, StreamBody([](const Writer&) { throw Error(Code::bad_input, "at once"); })};
           }},
          {"GET", "/pieces",
           [file](const Request&) {
             return Response{200, {}, PiecesBody{std::string("<"), FileBody{file, 2, 3}, std::string(">")}};
           }},
          {"GET", "/file",
           [file](const Request&) {
             return Response{200, {}, FileBody{file}};
           }},
          {"GET", "/lost",
           [](const Request&) {
             return Response{200, {}, FileBody{"/nowhere/at/all"}};
           }},
          {"GET", "/error", [](const Request&) -> Response { throw Error(Code::bad_input, "the slice is empty"); }},
          {"GET", "/fault", [](const Request&) -> Response { throw Error(Code::internal, "secret"); }}};
}

HttpSettings quick() {
  HttpSettings out;
  out.port = 0;
  out.header_timeout = out.idle_timeout = out.body_timeout = std::chrono::seconds(1);
  return out;
}

TEST(HttpServer, KeepsConnectionsAndAnswersInOrder) {
  const HttpServer server(quick(), test_routes());
  Client client(server.port());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.ask("GET", "/text").body, "hello");
  client.send(
      "GET /text HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
      "2\r\n\r\nabGET /none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.answer().body, "hello");
  EXPECT_EQ(client.answer().body, "ab");
  EXPECT_EQ(client.answer().status, 404);
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, BodiesComeWholeOrInChunks) {
  const HttpServer server(quick(), test_routes());
  Client client(server.port());
  const std::string big(3'000'000, 'x');
  EXPECT_EQ(client.ask("POST", "/echo", {}, big).body, big);
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  client.send("5;x=y\r\ndefgh\r\n0\r\n\r\n");
  EXPECT_EQ(client.answer().body, "abcdefgh");
  EXPECT_EQ(client.ask("GET", "/stream").body, "one two three");
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.answer().status, 100);
  client.send("xyz");
  EXPECT_EQ(client.answer().body, "xyz");
}

TEST(HttpServer, UnreadBodiesDoNotBecomeRequests) {
  const HttpServer server(quick(), test_routes());
  Client client(server.port());
  EXPECT_EQ(client.ask("POST", "/ignore", {}, "GET /fault HTTP/1.1\r\n\r\n").body, "no");
  EXPECT_EQ(client.ask("GET", "/text").body, "hello");
  EXPECT_EQ(client.ask("POST", "/ignore", {}, std::string(2 << 20, 'x')).body, "no");
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, HeadHasNoBody) {
  const HttpServer server(quick(), test_routes());
  Client client(server.port());
  const auto head = client.ask("HEAD", "/text");
  EXPECT_EQ(header_of(head.headers, "Content-Length"), "5");
  EXPECT_EQ(client.ask("HEAD", "/stream").status, 200);
  EXPECT_EQ(client.ask("GET", "/text").body, "hello");
}

TEST(HttpServer, FilesHaveRangesAndNames) {
  const TempFile file("0123456789");
  const HttpServer server(quick(), test_routes(file.path));
  Client client(server.port());
  const auto whole = client.ask("GET", "/file");
  EXPECT_EQ(whole.body, "0123456789");
  const auto part = client.ask("GET", "/file", {{"Range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(header_of(part.headers, "Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(client.ask("GET", "/file", {{"Range", "bytes=20-"}}).status, 416);
  const auto etag = header_of(whole.headers, "ETag");
  ASSERT_TRUE(etag);
  EXPECT_EQ(client.ask("GET", "/file", {{"If-None-Match", *etag}}).status, 304);
  EXPECT_EQ(client.ask("GET", "/text", {{"If-None-Match", "\"t\""}}).status, 304);
  EXPECT_EQ(client.ask("GET", "/pieces").body, "<234>");
  EXPECT_EQ(client.ask("GET", "/lost").status, 404);
}

TEST(HttpServer, ErrorsAreProblems) {
  std::string heard;
  HttpSettings settings = quick();
  settings.on_fault = [&](const std::string& text) { heard = text; };
  const HttpServer server(settings, test_routes());
  Client client(server.port());
  const auto answer = client.ask("GET", "/error");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(header_of(answer.headers, "Content-Type"), "application/problem+json");
  const Json json = Json::parse(answer.body);
  EXPECT_EQ(json.at("detail").text(), "the slice is empty");
  EXPECT_EQ(json.at("status").integer(), 422);
  const auto fault = client.ask("GET", "/fault");
  EXPECT_EQ(fault.status, 500);
  EXPECT_EQ(fault.body.find("secret"), std::string::npos);
  EXPECT_EQ(heard, "secret");
  EXPECT_EQ(client.ask("PUT", "/text").status, 405);
  EXPECT_EQ(client.ask("GET", "/stream/early").status, 422);
  const auto late = client.ask("GET", "/stream/late");
  EXPECT_EQ(late.status, 200);
  EXPECT_FALSE(late.whole);
}

TEST(HttpServer, OnlyThisMachineIsAnswered) {
  const HttpServer server(quick(), test_routes());
  Client client(server.port());
  EXPECT_EQ(client.ask("GET", "/text", {{"Host", "evil.example"}}).status, 421);
  EXPECT_EQ(client.ask("GET", "/text", {{"Origin", "http://evil.example"}}).status, 403);
  const auto answer = client.ask("GET", "/text", {{"Origin", "http://localhost:3000"}});
  EXPECT_EQ(header_of(answer.headers, "Access-Control-Allow-Origin"), "http://localhost:3000");
  const auto asked = client.ask("OPTIONS", "/echo",
                                {{"Origin", "http://127.0.0.1:3000"},
                                 {"Access-Control-Request-Method", "POST"},
                                 {"Access-Control-Request-Headers", "content-type"}});
  EXPECT_EQ(asked.status, 204);
  EXPECT_EQ(header_of(asked.headers, "Access-Control-Allow-Methods"), "POST, OPTIONS");
  EXPECT_EQ(header_of(asked.headers, "Access-Control-Allow-Headers"), "content-type");
  HttpSettings open = quick();
  open.address = "0.0.0.0";
  EXPECT_THROW(HttpServer(open, {}), Error);
  HttpSettings taken = quick();
  taken.port = server.port();
  EXPECT_THROW(HttpServer(taken, {}), Error);
}

TEST(HttpServer, PagesHaveAPolicy) {
  const HttpServer server(quick(), test_routes());
  Client client(server.port());
  const auto page = header_of(client.ask("GET", "/page").headers, "Content-Security-Policy");
  ASSERT_TRUE(page);
  EXPECT_NE(page->find("script-src 'self' 'wasm-unsafe-eval'"), std::string::npos);
  EXPECT_EQ(header_of(client.ask("GET", "/text").headers, "X-Content-Type-Options"), "nosniff");
}

TEST(HttpServer, LimitsAndSlowClients) {
  HttpSettings settings = quick();
  settings.body_bytes_max = 1000;
  settings.header_bytes_max = 4000;
  const HttpServer server(settings, test_routes());
  EXPECT_EQ(Client(server.port()).ask("POST", "/echo", {}, std::string(1001, 'x')).status, 413);
  EXPECT_EQ(Client(server.port()).ask("GET", "/text", {{"X", std::string(5000, 'x')}}).status, 431);
  Client slow(server.port());
  slow.send("GET /text HTTP/1.1\r\n");
  EXPECT_EQ(slow.answer().status, 408);
  Client stuck(server.port());
  stuck.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_EQ(stuck.answer().status, 408);
  Client wrong(server.port());
  wrong.send("nonsense\r\n\r\n");
  EXPECT_EQ(wrong.answer().status, 400);
  Client cut(server.port());
  cut.send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n");
  EXPECT_EQ(cut.answer().status, 400);
  Client idle(server.port());
  EXPECT_TRUE(idle.closed());
}

TEST(HttpServer, OneTooManyIsToldSo) {
  HttpSettings settings = quick();
  settings.connections_max = 1;
  const HttpServer server(settings, test_routes());
  Client first(server.port());
  EXPECT_EQ(first.ask("GET", "/text").status, 200);
  Client second(server.port());
  EXPECT_EQ(second.answer().status, 503);
}

TEST(HttpServer, EndsWithOpenConnectionsAndStreams) {
  std::atomic<bool> ended = false;
  Routes routes{{"GET", "/events", [&](const Request&) {
                   return Response{200, {}, StreamBody([&](const Writer& write) {
                                     while (write(std::as_bytes(std::span(std::string_view(": still here\n")))))
                                       std::this_thread::sleep_for(std::chrono::milliseconds(5));
                                     ended = true;
                                   })};
                 }}};
  auto server = std::make_unique<HttpServer>(quick(), routes);
  Client idle(server->port()), listening(server->port());
  listening.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  server.reset();
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace penta::server
