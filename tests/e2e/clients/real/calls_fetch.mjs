// What calls.go says, with Node's own fetch: the package that it is made of, since Node 18 has one without HTTP/2. It does
// not tell trailers. Instead it reads events, each of which is sent when the one before was acknowledged on port 8080.
import diagnostics from "node:diagnostics_channel";
import net from "node:net";
import { Agent, fetch, setGlobalDispatcher } from "undici";

const [host] = process.argv.slice(2);
let socket;
diagnostics.subscribe("undici:client:connected", (connected) => { socket = connected.socket; });
setGlobalDispatcher(new Agent({ allowH2: true, connections: 1 }));

const ask = (path, options) => fetch(`https://${host}${path}`, options);
const size = async (path, options) => (await (await ask(path, options)).arrayBuffer()).byteLength;

async function events(count) {
  const acknowledgements = net.connect(8080, host);
  const decoder = new TextDecoder();
  let seen = 0;
  for await (const piece of (await ask(`/events/${count}`)).body) {
    const ends = decoder.decode(piece, { stream: true }).split("\n\n").length - 1;
    seen += ends;
    acknowledgements.write("next\n".repeat(ends));
  }
  acknowledgements.destroy();
  return seen;
}

await size("/");
const many = await Promise.all(Array.from({ length: 50 }, (_, i) => size(`/bytes/${i * 1000}`)));
console.log(JSON.stringify({
  protocol: socket.alpnProtocol,
  issuer: socket.getPeerCertificate().issuer.CN,
  many: many.every((bytes, i) => bytes === i * 1000),
  echo: await size("/echo", { method: "POST", body: new Uint8Array(3_000_000) }),
  download: await size("/bytes/20000000"),
  events: await events(5),
}));
process.exit(0);
