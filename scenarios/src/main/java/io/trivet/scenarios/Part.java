package io.trivet.scenarios;

import io.trivet.sim.Fault;

/**
 * A part of a world that can be cut out, by its place in the world that was drawn: {@code f.RESET} is a kind of fault, {@code a3} what is
 * done from outside, {@code p7} a client, {@code p7.2} a step of its script, {@code p7.2.0} a message of that step; {@code s0.LOOPS} and
 * {@code p7.PACE} are what is special about a server or a client.
 *
 * @param name the place
 */
record Part(String name) {
    /** What can be cut out, the largest first. */
    enum Kind {
        PEER, FAULT, ACT, STEP, ASK, SPECIAL
    }

    static Part fault(Fault kind) {
        return new Part("f." + kind.name());
    }

    static Part act(int number) {
        return new Part("a" + number);
    }

    static Part peer(int number) {
        return new Part("p" + number);
    }

    static Part step(int peer, int number) {
        return new Part("p" + peer + "." + number);
    }

    static Part ask(int peer, int step, int number) {
        return new Part("p" + peer + "." + step + "." + number);
    }

    static Part ofServer(int server, Plain plain) {
        return new Part("s" + server + "." + plain.name());
    }

    static Part ofServer(int server, Reaction reaction) {
        return new Part("s" + server + "." + reaction.name());
    }

    static Part ofPeer(int peer, Plain plain) {
        return new Part("p" + peer + "." + plain.name());
    }

    Kind kind() {
        if (name.charAt(0) != 'f' && !Character.isDigit(name.charAt(name.length() - 1))) {
            return Kind.SPECIAL;
        }
        return switch (name.charAt(0)) {
            case 'f' -> Kind.FAULT;
            case 'a' -> Kind.ACT;
            default -> switch (name.split("\\.", -1).length) {
                case 1 -> Kind.PEER;
                case 2 -> Kind.STEP;
                default -> Kind.ASK;
            };
        };
    }

    /** The part that this one lies in; empty: in none but the world. */
    String parent() {
        int dot = name.startsWith("f.") || name.startsWith("s") ? -1 : name.lastIndexOf('.');
        return dot < 0 ? "" : name.substring(0, dot);
    }

    @Override
    public String toString() {
        return name;
    }
}
