package io.trivet.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checks the README: its Java code compiles, and the files it links to exist. */
final class ReadmeTest {
    private static final Path ROOT = Path.of(System.getProperty("trivet.root"));

    @TempDir Path folder;

    private static String readme() throws IOException {
        return Files.readString(ROOT.resolve("README.md"));
    }

    @Test
    void javaCodeCompilesWithoutWarnings() throws IOException {
        List<Path> sources = new ArrayList<>();
        Matcher blocks = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(readme());
        while (blocks.find()) {
            String name = "Fragment" + sources.size();
            String code = blocks.group(1);
            Matcher type = Pattern.compile("public final class (\\w+)").matcher(code);
            if (type.find()) {
                name = type.group(1);
            } else {
                code = "import io.trivet.net.*; import io.trivet.select.*; import java.time.Duration;\n final class " + name
                        + " { void run(TcpStream stream) throws java.io.IOException {\n" + code + "} }";
            }
            sources.add(Files.writeString(folder.resolve(name + ".java"), code));
        }
        assertThat(sources).hasSizeGreaterThan(1);
        ExamplesTest.compile(sources, folder);
    }

    @Test
    void linkedFilesExist() throws IOException {
        Matcher links = Pattern.compile("]\\(([^)]+)\\)").matcher(readme());
        int found = 0;
        for (; links.find(); found++) {
            assertThat(ROOT.resolve(links.group(1))).exists();
        }
        assertThat(found).isPositive();
    }
}
