package io.trivet.app;

import io.trivet.tls.TlsEngineKind;

/** Converts the values of {@code --tls-engine}. */
final class TlsEngineConverter extends EnumConverter<TlsEngineKind> {
    TlsEngineConverter() {
        super(TlsEngineKind.values());
    }
}
