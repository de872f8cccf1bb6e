package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The systemd units in docs/deployment.md, checked by {@code systemd-analyze verify}. */
@EnabledOnOs(OS.LINUX)
final class UnitFilesTest {
    private static final Path ANALYZE = Path.of("/usr/bin/systemd-analyze");
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern UNIT = Pattern.compile("```ini\n# /etc/systemd/system/(\\S+)\n(.*?)```", Pattern.DOTALL);

    @TempDir private Path directory;

    @Test
    void everyUnitIsAccepted() throws Exception {
        assumeTrue(Files.isExecutable(ANALYZE), "systemd-analyze is not installed: apt-get install systemd");
        String page = Files.readString(ROOT.resolve("docs/deployment.md"));
        int units = 0;
        for (String section : page.split("\n## ", -1)) {
            units += verify(Files.createTempDirectory(directory, "units"), section);
        }
        assertThat(units).as("units on the page").isEqualTo(5);
    }

    /** Checks the units of one section, which belong together. Returns how many there are. */
    private static int verify(Path folder, String section) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(ANALYZE.toString(), "verify", "--man=no"));
        Matcher unit = UNIT.matcher(section);
        int count = 0;
        while (unit.find()) {
            Path file = folder.resolve(unit.group(1));
            Files.writeString(file, unit.group(2).replace("/opt/trivet/trivet", ROOT.resolve("trivet").toString()));
            command.add(file.toString());
            count++;
        }
        if (count > 0) {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().put("SYSTEMD_UNIT_PATH", folder + ":/lib/systemd/system");
            Process process = builder.start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(output).isZero();
            assertThat(output).as("what systemd objects to").isEmpty();
        }
        return count;
    }
}
