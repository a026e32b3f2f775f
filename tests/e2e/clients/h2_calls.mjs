// Node's HTTP/2 client over one connection: h2_calls.mjs HOST. Prints what it saw as JSON.

import http2 from "node:http2";

const session = http2.connect(`https://${process.argv[2]}`);
const found = { errors: [], goaway: 0 };
session.on("error", (problem) => found.errors.push(problem.code));
const goaway = new Promise((resolve) => session.on("goaway", () => { found.goaway += 1; resolve(); }));

function ask(headers, body) {
  return new Promise((resolve) => {
    const stream = session.request(headers, { endStream: body === undefined });
    const seen = { status: 0, bytes: 0, text: "", trailers: {}, error: null };
    stream.on("response", (fields) => { seen.status = fields[":status"]; });
    stream.on("trailers", (fields) => { seen.trailers = { ...fields }; });
    stream.on("data", (piece) => {
      seen.bytes += piece.length;
      if (seen.text.length < 1000) seen.text += piece;
    });
    stream.on("error", (problem) => { seen.error = problem.code; });
    stream.on("close", () => resolve({ ...seen, code: stream.rstCode }));
    if (body !== undefined) stream.end(body);
  });
}

await new Promise((resolve) => session.once("remoteSettings", resolve));
const many = await Promise.all(Array.from({ length: 50 }, (_, i) => ask({ ":path": `/bytes/${i * 1000}` })));
found.many = many.every((seen, i) => seen.status === 200 && seen.bytes === i * 1000);
found.echo = (await ask({ ":path": "/echo", ":method": "POST" }, Buffer.alloc(3_000_000, "y"))).bytes;
found.trailers = (await ask({ ":path": "/trailers" })).trailers["x-sum"];
found.reset = (await ask({ ":path": "/reset" })).code;
found.alive = (await ask({ ":path": "/" })).text;
found.extended = session.remoteSettings.enableConnectProtocol;
found.socket = await new Promise((resolve) => {
  const socket = session.request({ ":method": "CONNECT", ":protocol": "websocket", ":path": "/chat" });
  let heard = "";
  socket.on("response", () => socket.write("one "));
  socket.on("data", (piece) => {
    heard += piece;
    if (heard === "one ") socket.write("two");
    if (heard === "one two") socket.end();
  });
  socket.on("error", (problem) => resolve(problem.code));
  socket.on("close", () => resolve(heard));
});
found.goodbye = (await ask({ ":path": "/goaway" })).text;
await goaway;
session.destroy();
console.log(JSON.stringify(found));
process.exit(0);
