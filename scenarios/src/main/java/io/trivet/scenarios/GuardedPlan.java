package io.trivet.scenarios;

/**
 * What a client of the {@link GuardedServer} sends.
 *
 * @param number the number of the client
 * @param host the number of its host; the first {@link GuardedServer#PROXIES} are trusted proxies
 * @param header the header of the PROXY protocol that it sends first
 * @param claimed the number of the client's address in the header
 * @param lines the number of its lines
 * @param inPieces true if what it sends is cut anywhere
 * @param cut where an incomplete header ends, in thousandths
 * @param ending what it does after its lines; nothing more after an incomplete header
 */
record GuardedPlan(int number, int host, Header header, int claimed, int lines, boolean inPieces, int cut, Ending ending) {
    /** The header that a client sends. A client that is no trusted proxy sends none, or one of version 1, which is a line. */
    enum Header {
        /** None. From a proxy that is an error. */
        NONE,
        /** A line with the client's address. */
        V1,
        /** A line without an address: that of the proxy counts. */
        UNKNOWN,
        /** A binary header with the client's address. */
        V2,
        /** A binary header of a connection that the proxy makes for itself: the access list does not apply. */
        LOCAL,
        /** The beginning of a header, and nothing more. */
        INCOMPLETE
    }

    /** What a client does after its lines. */
    enum Ending {
        /** It ends its output. */
        FINISHES,
        /** It keeps its connection until it has its replies and some more, and then ends its output. */
        STAYS,
        /** It resets its connection. */
        RESETS,
        /** It sends the beginning of another line, and nothing more. */
        BREAKS_OFF
    }

    boolean isProxy() {
        return host < GuardedServer.PROXIES;
    }

    /** Returns true if the connection is to be opened, provided that the address is allowed. */
    boolean isValid() {
        return isProxy() ? header != Header.NONE && header != Header.INCOMPLETE : true;
    }

    /** Returns true if the header's address is that of the client. */
    boolean hasClaim() {
        return isProxy() && (header == Header.V1 || header == Header.V2);
    }

    @Override
    public String toString() {
        return "client " + number + " of host " + host + (isProxy() ? ", a proxy" : "") + ": header " + ReportText.words(header)
                + ", client address " + claimed + ", " + lines + " lines" + (inPieces ? " in pieces" : "")
                + (header == Header.INCOMPLETE ? ", cut at " + cut + "/1000" : "") + ", " + ReportText.words(ending);
    }
}
