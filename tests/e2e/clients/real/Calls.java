// What calls.go says, with Java's HttpClient, which does not tell trailers.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

class Calls {
  static HttpClient client() {
    return HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
  }

  static HttpRequest.Builder to(String host, String path) {
    return HttpRequest.newBuilder(URI.create("https://" + host + path));
  }

  static String issuer(HttpResponse<?> response) throws Exception {
    var certificate = (X509Certificate) response.sslSession().get().getPeerCertificates()[0];
    return certificate.getIssuerX500Principal().getName();
  }

  // The first call opens the connection that the parallel ones then share.
  static void everything(String host) throws Exception {
    var client = client();
    var first = client.send(to(host, "/").build(), BodyHandlers.ofString());
    var calls = IntStream.range(0, 50)
        .mapToObj(i -> client.sendAsync(to(host, "/bytes/" + i * 1000).build(), BodyHandlers.ofByteArray())
            .thenApply(response -> response.statusCode() == 200 && response.body().length == i * 1000))
        .collect(Collectors.toList());
    boolean many = calls.stream().allMatch(CompletableFuture::join);
    var upload = to(host, "/echo").POST(BodyPublishers.ofByteArray(new byte[3_000_000])).build();
    int echo = client.send(upload, BodyHandlers.ofByteArray()).body().length;
    int download = client.send(to(host, "/bytes/20000000").build(), BodyHandlers.ofByteArray()).body().length;
    System.out.printf("{\"protocol\": \"%s\", \"issuer\": \"%s\", \"many\": %b, \"echo\": %d, \"download\": %d}%n",
        first.version() == HttpClient.Version.HTTP_2 ? "h2" : "http/1.1", issuer(first), many, echo, download);
  }

  static void one(String host, int seconds, String path) {
    var request = to(host, path).timeout(Duration.ofSeconds(seconds)).build();
    int status = 0, bytes = 0;
    String kind = "none", text = "";
    long start = System.nanoTime();
    try {
      var response = client().sendAsync(request, BodyHandlers.ofByteArray())
          .get(seconds, TimeUnit.SECONDS);
      status = response.statusCode();
      bytes = response.body().length;
    } catch (ExecutionException problem) {
      kind = problem.getCause().getClass().getSimpleName();
      text = String.valueOf(problem.getCause().getMessage()).replaceAll("[^ -~]|[\"\\\\]", "'");
    } catch (Exception problem) {
      kind = problem.getClass().getSimpleName();
    }
    System.out.printf("{\"path\": \"" + path + "\", \"status\": %d, \"bytes\": %d, \"class\": \"%s\", \"text\": \"%s\", \"seconds\": %.3f}%n",
        status, bytes, kind, text, (System.nanoTime() - start) / 1e9);
  }

  public static void main(String[] words) throws Exception {
    if (words.length == 1) everything(words[0]);
    for (int i = 2; i < words.length; ++i) one(words[0], Integer.parseInt(words[1]), words[i]);
    System.exit(0);  // the client's threads would wait for what was given up
  }
}
