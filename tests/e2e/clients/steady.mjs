// A Node job that makes a call every 100 ms, each over a new connection: steady.mjs HOST SECONDS. Node reads its roots once,
// at its start. One JSON line a call: the certificate's SHA-256, what went wrong.
import https from 'node:https';

const [host, seconds] = process.argv.slice(2);
const end = Date.now() + Number(seconds) * 1000;

function call() {
  return new Promise((resolve) => {
    const request = https.get({ host, path: '/', agent: false, timeout: 10000 }, (response) => {
      const certificate = response.socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase();
      response.resume();
      response.on('end', () => resolve({ certificate, status: response.statusCode, problem: null }));
      response.on('error', (error) => resolve({ problem: error.message }));
    });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', (error) => resolve({ problem: `${error.code}: ${error.message}` }));
  });
}

while (Date.now() < end) {
  console.log(JSON.stringify(await call()));
  await new Promise((resolve) => setTimeout(resolve, 100));
}
