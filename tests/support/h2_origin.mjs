// A small HTTP/2 origin (ALPN h2 alone): h2_origin.mjs SETTINGS.json, the settings of origin_server.py. Paths:
//
//   /               200, "hello from NAME"
//   /bytes/N        N bytes
//   /echo           the request's body, as it comes
//   /status/N       status N
//   /headers        the request's fields, as JSON
//   /trailers       a body, then trailers
//   /reset          half of an answer, then RST_STREAM with ENHANCE_YOUR_CALM
//   /goaway         an answer, then GOAWAY
//   /events/N       N server-sent events, each when the one before was acknowledged: by a line on port 8080, in the clear
//   /grpc-web       the request's body, as gRPC-Web
//   CONNECT with :protocol websocket    (RFC 8441) at /websocket a welcome, then each message is sent back, and a PING
//                                       answered; elsewhere whatever comes is sent back

import events from "node:events";
import fs from "node:fs";
import http2 from "node:http2";
import net from "node:net";

const acknowledgements = new events.EventEmitter();
const settings = JSON.parse(fs.readFileSync(process.argv[2]));
const [certificate, key] = Object.values(settings.certificates)[0];
const log = (entry) => fs.appendFileSync(settings.log, JSON.stringify(entry) + "\n");

const server = http2.createSecureServer({
  cert: fs.readFileSync(certificate),
  key: fs.readFileSync(key),
  settings: { enableConnectProtocol: true },
});

// RFC 6455 section 5.2: a server's frames are not masked.
function frame(first, payload) {
  const header = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10);
  header[0] = first;
  header[1] = header.length === 2 ? payload.length : header.length === 4 ? 126 : 127;
  if (header.length === 4) header.writeUInt16BE(payload.length, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([header, payload]);
}

function chat(stream) {
  const ping = 9, pong = 10, close = 8;
  let waiting = Buffer.alloc(0);
  stream.write(frame(0x81, Buffer.from("welcome")));
  stream.on("end", () => stream.end());
  stream.on("data", (piece) => {
    waiting = Buffer.concat([waiting, piece]);
    while (waiting.length >= 2) {
      let at = 2, length = waiting[1] & 127;
      if (length === 126) at = 4;
      if (length === 127) at = 10;
      if (waiting.length < at + 4) return;
      if (length === 126) length = waiting.readUInt16BE(2);
      if (length === 127) length = Number(waiting.readBigUInt64BE(2));
      if (waiting.length < at + 4 + length) return;
      const key = waiting.subarray(at, at + 4), first = waiting[0];
      const payload = Buffer.from(waiting.subarray(at + 4, at + 4 + length)).map((byte, i) => byte ^ key[i % 4]);
      waiting = waiting.subarray(at + 4 + length);
      stream.write(frame((first & 15) === ping ? 0x80 | pong : first, payload));
      if ((first & 15) === close) return;
    }
  });
}

server.on("stream", (stream, headers) => {
  const path = headers[":path"] ?? "";
  const [what, number] = path.slice(1).split("/");
  stream.on("error", (problem) => log({ error: problem.code }));
  stream.on("close", () => log({ closed: path, code: stream.rstCode }));
  log({ method: headers[":method"], path, host: headers[":authority"], protocol: headers[":protocol"],
    alpn: stream.session.alpnProtocol, port: stream.session.socket.remotePort });
  const answer = (status, body) => {
    stream.respond({ ":status": status, "x-origin": settings.name });
    stream.end(body);
  };
  if (headers[":method"] === "CONNECT") {
    stream.respond({ ":status": 200 });
    return path === "/websocket" ? chat(stream) : stream.pipe(stream);
  }
  switch (what) {
    case "bytes":
      return answer(200, Buffer.alloc(Number(number), "x"));
    case "echo":
      stream.respond({ ":status": 200 });
      return stream.pipe(stream);
    case "status":
      return answer(Number(number), `status ${number}\n`);
    case "headers":
      return answer(200, JSON.stringify(headers));
    case "trailers":
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-sum": "42" }));
      return stream.end("body");
    case "reset":
      stream.respond({ ":status": 200 });
      stream.write("half");
      return setTimeout(() => stream.destroy(new Error("on purpose"), http2.constants.NGHTTP2_ENHANCE_YOUR_CALM), 100);
    case "goaway":
      answer(200, "going\n");
      return stream.session.goaway(http2.constants.NGHTTP2_NO_ERROR, stream.id);
    case "events": {
      stream.respond({ ":status": 200, "content-type": "text/event-stream" });
      let sent = 0;
      const next = () => {
        stream.write(`data: ${sent++}\n\n`);
        if (sent < Number(number)) return acknowledgements.once("next", next);
        return stream.end();
      };
      return next();
    }
    case "grpc-web":
      stream.respond({ ":status": 200, "content-type": headers["content-type"] });
      return stream.pipe(stream);
    default:
      return answer(200, `hello from ${settings.name}\n`);
  }
});
server.on("sessionError", () => {});

net.createServer((socket) => {
  socket.on("data", (lines) => { for (const byte of lines) if (byte === 10) acknowledgements.emit("next"); });
  socket.on("error", () => {});
}).listen(8080, settings.addresses[0]);

server.listen(settings.port, settings.addresses[0], () => console.log("ready"));
