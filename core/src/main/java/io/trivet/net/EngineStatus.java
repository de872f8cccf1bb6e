package io.trivet.net;

/**
 * A named network, and whether it is available here. Immutable.
 *
 * @param name the name for {@link Network#named}
 * @param available whether it is available
 * @param remark its capabilities, or why it is not available and the cure
 */
public record EngineStatus(String name, boolean available, String remark) {}
