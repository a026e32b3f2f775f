// What calls.go says, with Node's http2.
import http2 from "node:http2";

const [host, seconds, ...paths] = process.argv.slice(2);
const open = () => new Promise((resolve, reject) => {
  const session = http2.connect(`https://${host}`);
  session.once("connect", () => resolve(session));
  session.once("error", reject);
});

function ask(session, headers, body) {
  return new Promise((resolve) => {
    const stream = session.request(headers, { endStream: body === undefined });
    const seen = { status: 0, bytes: 0, trailer: null, class: "none", text: "" };
    if (seconds) stream.setTimeout(seconds * 1000, () => { seen.class = "timeout"; stream.close(http2.constants.NGHTTP2_CANCEL); });
    stream.on("response", (fields) => { seen.status = fields[":status"]; });
    stream.on("trailers", (fields) => { seen.trailer = fields["x-sum"]; });
    stream.on("data", (piece) => { seen.bytes += piece.length; });
    stream.on("error", (problem) => {
      if (seen.class === "none") Object.assign(seen, { class: problem.code, text: problem.message });
    });
    let ended = false;
    stream.on("end", () => { ended = true; });
    stream.on("close", () => {
      if (!ended && seen.class === "none") seen.class = "close without end";  // Node makes no error of a lost connection
      resolve(seen);
    });
    if (body !== undefined) stream.end(body);
  });
}

async function everything() {
  const session = await open();
  const get = (path) => ask(session, { ":path": path });
  const many = await Promise.all(Array.from({ length: 50 }, (_, i) => get(`/bytes/${i * 1000}`)));
  return {
    protocol: session.alpnProtocol,
    issuer: session.socket.getPeerCertificate().issuer.CN,
    many: many.every((seen, i) => seen.status === 200 && seen.bytes === i * 1000),
    echo: (await ask(session, { ":path": "/echo", ":method": "POST" }, Buffer.alloc(3_000_000))).bytes,
    download: (await get("/bytes/20000000")).bytes,
    trailer: (await get("/trailers")).trailer,
  };
}

async function one(path) {
  const start = performance.now();
  const session = await open();
  session.on("error", () => {});  // its streams tell
  const { trailer, ...seen } = await ask(session, { ":path": path });
  session.destroy();
  return { path, ...seen, seconds: (performance.now() - start) / 1000 };
}

if (seconds) for (const path of paths) console.log(JSON.stringify(await one(path)));
else console.log(JSON.stringify(await everything()));
process.exit(0);
