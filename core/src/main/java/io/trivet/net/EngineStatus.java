package io.trivet.net;

/**
 * One named network, and whether it can be had here.
 *
 * @param name the name for {@link Network#named}
 * @param available whether it can be had
 * @param remark what it can do, or why it is not available and what would cure that
 */
public record EngineStatus(String name, boolean available, String remark) {}
