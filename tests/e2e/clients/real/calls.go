// The real clients of test_clients.py, each with the same two ways to be called. PROGRAM HOST: fifty requests at once on one
// connection, an upload, a large download, a trailer; prints what came of them, the protocol and the certificate's issuer.
// PROGRAM HOST SECONDS PATH...: one call a path, each on a
// connection of its own, and a line for each that says how a program sees its failure.
//
// This one is Go's net/http.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

var origin string

type seen struct {
	status   int
	protocol string
	issuer   string
	bytes    int64
	trailer  string
}

func call(method, path string, body io.Reader) (seen, error) {
	request, _ := http.NewRequest(method, origin+path, body)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return seen{}, err
	}
	defer response.Body.Close()
	size, err := io.Copy(io.Discard, response.Body)
	issuer := response.TLS.PeerCertificates[0].Issuer.CommonName
	return seen{response.StatusCode, response.TLS.NegotiatedProtocol, issuer, size, response.Trailer.Get("x-sum")}, err
}

func must(got seen, err error) seen {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return got
}

// The first call opens the connection that the parallel ones then share.
func everything() map[string]any {
	first := must(call("GET", "/", nil))
	var all sync.WaitGroup
	right := make([]bool, 50)
	for i := range right {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			got, err := call("GET", fmt.Sprintf("/bytes/%d", i*1000), nil)
			right[i] = err == nil && got.status == 200 && got.bytes == int64(i*1000)
		}(i)
	}
	all.Wait()
	many := true
	for _, each := range right {
		many = many && each
	}
	return map[string]any{
		"protocol": first.protocol, "issuer": first.issuer, "many": many,
		"echo":     must(call("POST", "/echo", bytes.NewReader(make([]byte, 3_000_000)))).bytes,
		"download": must(call("GET", "/bytes/20000000", nil)).bytes,
		"trailer":  must(call("GET", "/trailers", nil)).trailer,
	}
}

// What went wrong, as a program would ask: by type, and by the name of what HTTP/2 said.
func class(err error) string {
	var timeout net.Error
	switch {
	case err == nil:
		return "none"
	case errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout()):
		return "timeout"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected EOF"
	case errors.Is(err, io.EOF):
		return "EOF"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case strings.Contains(err.Error(), "stream error"):
		return "stream error"
	case strings.Contains(err.Error(), "connection error"):
		return "connection error"
	case strings.Contains(err.Error(), "GOAWAY"):
		return "GOAWAY"
	}
	return fmt.Sprintf("%T", err)
}

func one(path string) map[string]any {
	http.DefaultClient.Transport = &http.Transport{ForceAttemptHTTP2: true}
	start := time.Now()
	got, err := call("GET", path, nil)
	return map[string]any{"path": path, "status": got.status, "bytes": got.bytes, "class": class(err),
		"text": fmt.Sprint(err), "seconds": time.Since(start).Seconds()}
}

func print(found map[string]any) { json.NewEncoder(os.Stdout).Encode(found) }

func main() {
	origin = "https://" + os.Args[1]
	if len(os.Args) == 2 {
		print(everything())
		return
	}
	http.DefaultClient.Timeout, _ = time.ParseDuration(os.Args[2] + "s")
	for _, path := range os.Args[3:] {
		print(one(path))
	}
}
