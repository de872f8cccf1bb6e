package io.trivet.mutants;

/** What a mutant changes in one instruction. */
enum Operator {
    /** A comparison includes its boundary, or no longer includes it: {@code <} becomes {@code <=}. */
    BOUNDARY,
    /** A condition is negated. */
    NEGATED,
    /** A call of a void method is removed. Its arguments are still evaluated. */
    REMOVED_CALL,
    /** Two neighboring arguments of the same type are exchanged. */
    SWAPPED_ARGUMENTS,
    /** A constant of type int or long is another: 0 becomes 1, 1 becomes 0, any other n becomes n + 1, and n - 1 or 0. */
    CONSTANT,
    /** An addition is a subtraction, or the reverse. */
    ARITHMETIC,
    /** A method returns something else: the other boolean, a number that is larger by 1, or null. */
    RETURN
}
