package io.trivet.mutants;

import java.util.Locale;

/**
 * One change of one instruction.
 *
 * @param className the binary name of the class
 * @param method the name and the descriptor of the method
 * @param instruction the number of the instruction within the method
 * @param operator what is changed
 * @param variant tells apart the changes that the operator can make to the instruction
 * @param line the line of the source, or 0
 * @param text the change in words
 */
record Mutation(String className, String method, int instruction, Operator operator, int variant, int line, String text) {
    /** Returns a name that is the same in every run on the same classes. */
    String id() {
        return className.replace("io.trivet.", "") + "." + method.substring(0, method.indexOf('(')) + ":" + line + "/"
                + instruction + " " + operator.name().toLowerCase(Locale.ROOT) + (variant == 0 ? "" : variant + 1) + ": " + text;
    }

    /** Returns a key of the instruction: all changes of it are reached together. */
    String place() {
        return className + " " + method + " " + instruction;
    }
}
