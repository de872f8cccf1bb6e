package io.trivet.scenarios;

/** The method that sends a message: {@code send} with bytes or with text, {@code offer}, or {@code sendFirst}. */
enum SendMethod {
    BYTES, TEXT, OFFER, FIRST
}
