import { createServer } from "node:http";

// Sends what it is given, prebuilt: the least that a server in Node can do.
process.once("message", (text) => {
  const body = Buffer.from(text);
  const server = createServer((_request, response) => {
    response.writeHead(200, {
      "Content-Type": "application/json; charset=utf-8",
      "Content-Length": body.length,
    });
    response.end(body);
  });
  server.listen(0, "127.0.0.1", () => process.send(server.address().port));
});
process.once("disconnect", () => process.exit());
