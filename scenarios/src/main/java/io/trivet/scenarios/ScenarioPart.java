package io.trivet.scenarios;

import io.trivet.sim.Fault;

/**
 * A part of a scenario that can be removed, named by its place in the scenario that was generated: {@code f.RESET} is a kind of
 * fault, {@code a3} an external action, {@code c7} a client, {@code c7.2} a step of its script, {@code c7.2.0} a message of that
 * step; {@code s0.LOOPS} and {@code c7.PACE} are properties of a server or a client that differ from the default.
 *
 * @param name the name
 */
record ScenarioPart(String name) {
    /** The kinds of parts, in the order in which the shrinker tries them. */
    enum Kind {
        CLIENT, FAULT, ACTION, STEP, MESSAGE, PROPERTY
    }

    static ScenarioPart fault(Fault kind) {
        return new ScenarioPart("f." + kind.name());
    }

    static ScenarioPart action(int number) {
        return new ScenarioPart("a" + number);
    }

    static ScenarioPart client(int number) {
        return new ScenarioPart("c" + number);
    }

    static ScenarioPart step(int client, int number) {
        return new ScenarioPart("c" + client + "." + number);
    }

    static ScenarioPart message(int client, int step, int number) {
        return new ScenarioPart("c" + client + "." + step + "." + number);
    }

    static ScenarioPart ofServer(int server, Simplification simplification) {
        return new ScenarioPart("s" + server + "." + simplification.name());
    }

    static ScenarioPart ofServer(int server, Reaction reaction) {
        return new ScenarioPart("s" + server + "." + reaction.name());
    }

    static ScenarioPart ofClient(int client, Simplification simplification) {
        return new ScenarioPart("c" + client + "." + simplification.name());
    }

    Kind kind() {
        if (name.charAt(0) != 'f' && !Character.isDigit(name.charAt(name.length() - 1))) {
            return Kind.PROPERTY;
        }
        return switch (name.charAt(0)) {
            case 'f' -> Kind.FAULT;
            case 'a' -> Kind.ACTION;
            default -> switch (name.split("\\.", -1).length) {
                case 1 -> Kind.CLIENT;
                case 2 -> Kind.STEP;
                default -> Kind.MESSAGE;
            };
        };
    }

    /** Returns the name of the part that contains this one; empty if only the scenario does. */
    String parent() {
        int dot = name.startsWith("f.") || name.startsWith("s") ? -1 : name.lastIndexOf('.');
        return dot < 0 ? "" : name.substring(0, dot);
    }

    @Override
    public String toString() {
        return name;
    }
}
