/* libuv: an echo server written like the one in libuv's guide, and optimised: it first tries to send at once, without a copy or a request. The
 * loop writes the rest, and that client is not read from meanwhile.
 *
 *   libuv PORT
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

typedef struct { uv_write_t request; char bytes[]; } Write;

static char buffer[65536]; /* shared by all clients: the read callback has sent or copied its content when it returns */

static void lend(uv_handle_t *client, size_t suggested, uv_buf_t *to) {
  (void)client, (void)suggested;
  *to = uv_buf_init(buffer, sizeof buffer);
}

static void end(uv_stream_t *client) {
  if (!uv_is_closing((uv_handle_t *)client)) uv_close((uv_handle_t *)client, (uv_close_cb)free);
}

static void echo(uv_stream_t *client, ssize_t n, const uv_buf_t *from);

static void written(uv_write_t *request, int status) {
  uv_stream_t *client = request->handle;
  free(request);
  if (status < 0) end(client);
  else uv_read_start(client, lend, echo);
}

static void echo(uv_stream_t *client, ssize_t n, const uv_buf_t *from) {
  if (n < 0) return end(client);
  if (n == 0) return;
  uv_buf_t all = uv_buf_init(from->base, n);
  int sent = uv_try_write(client, &all, 1);
  if (sent == n) return;
  if (sent < 0 && sent != UV_EAGAIN) return end(client);
  if (sent < 0) sent = 0;
  Write *rest = malloc(sizeof *rest + n - sent);
  uv_buf_t left = uv_buf_init(memcpy(rest->bytes, from->base + sent, n - sent), n - sent);
  uv_read_stop(client);
  if (uv_write(&rest->request, client, &left, 1, written)) free(rest), end(client);
}

static void accept_one(uv_stream_t *listener, int status) {
  if (status < 0) return;
  uv_tcp_t *client = malloc(sizeof *client);
  uv_tcp_init(listener->loop, client);
  if (uv_accept(listener, (uv_stream_t *)client)) return end((uv_stream_t *)client);
  uv_tcp_nodelay(client, 1);
  uv_read_start((uv_stream_t *)client, lend, echo);
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  uv_loop_t *loop = uv_default_loop();
  uv_tcp_t listener;
  struct sockaddr_in address;
  uv_tcp_init(loop, &listener);
  uv_ip4_addr("127.0.0.1", argc > 1 ? atoi(argv[1]) : 8080, &address);
  uv_tcp_bind(&listener, (struct sockaddr *)&address, 0);
  int failed = uv_listen((uv_stream_t *)&listener, 4096, accept_one);
  if (failed) return fprintf(stderr, "libuv: %s\n", uv_strerror(failed)), 1;
  return uv_run(loop, UV_RUN_DEFAULT);
}
