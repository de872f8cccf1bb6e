package io.trivet.app;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Converts a command-line word to the enum constant whose {@code toString} is that word. picocli's own conversion also accepts
 * the constant's name, and would list each constant twice in its message.
 */
abstract class EnumConverter<E extends Enum<E>> implements ITypeConverter<E> {
    private final E[] values;

    EnumConverter(E[] values) {
        this.values = values;
    }

    @Override
    public E convert(String text) {
        StringBuilder words = new StringBuilder();
        for (E value : values) {
            if (value.toString().equals(text)) {
                return value;
            }
            words.append(words.isEmpty() ? "" : ", ").append(value);
        }
        throw new TypeConversionException("'" + EscapedText.of(text) + "' is not one of " + words);
    }
}
