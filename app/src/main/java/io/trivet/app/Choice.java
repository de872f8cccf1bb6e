package io.trivet.app;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** One of a few words: those that an enum's constants call themselves. picocli's own conversion would offer each twice. */
abstract class Choice<E extends Enum<E>> implements ITypeConverter<E> {
    private final E[] values;

    Choice(E[] values) {
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
        throw new TypeConversionException("'" + EscapedText.of(text) + "' is none of " + words);
    }
}
