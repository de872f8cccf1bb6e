package io.trivet.net;

/**
 * The process at the other end of a Unix domain stream, as the kernel has recorded it: of a client, when it connected; of a server, when
 * it started to listen. Source: man 7 unix, SO_PEERCRED.
 *
 * @param pid the number of the process, in this process's namespace; 0 if it is not visible there. It may have ended since, and the
 *     number may be another process's
 * @param uid the number of its effective user
 * @param gid the number of its effective group
 */
public record PeerCredentials(int pid, int uid, int gid) {
    @Override
    public String toString() {
        return "pid " + pid + ", uid " + uid + ", gid " + gid;
    }
}
