namespace Moat.Engine.Tests;

/// <summary>A name server that gives every name one address.</summary>
internal static class NameServer
{
    /// <summary>The address.</summary>
    public const string Answer = "198.51.100.77";

    private const string Source = """
        #include <arpa/inet.h>
        #include <string.h>
        #include <sys/socket.h>
        #include <unistd.h>
        static const unsigned char answer[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 77 };
        int main(void) {
            struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0xc6336401) /* 198.51.100.1 */ }, from;
            int fd = socket(AF_INET, SOCK_DGRAM, 0);
            if (bind(fd, (struct sockaddr *)&name, sizeof name) != 0 || daemon(0, 0) != 0)
                return 1;
            for (;;) {
                unsigned char message[600];
                socklen_t length = sizeof from;
                ssize_t count = recvfrom(fd, message, 512, 0, (struct sockaddr *)&from, &length);
                ssize_t end = 12;
                while (end < count && message[end] != 0)
                    end += message[end] + 1;
                end += 5;
                if (count < 17 || end > count)
                    continue;
                int has_answer = message[end - 3] == 1; /* a question of type A */
                message[2] = 0x81;
                message[3] = 0x80;
                memset(message + 6, 0, 6);
                message[7] = has_answer;
                memcpy(message + end, answer, sizeof answer);
                sendto(fd, message, end + (has_answer ? sizeof answer : 0), 0, (struct sockaddr *)&from, length);
            }
        }
        """;

    /// <summary>Starts it where a daemon is; it ends with the daemon.</summary>
    public static void StartBeside(DockerDaemon daemon)
    {
        string program = Path.Combine(daemon.Folder, "names");
        if (File.Exists(program))
        {
            return;
        }

        File.WriteAllText(program + ".c", Source);
        CommandResult compiled = Runsc.Execute(["gcc", "-O1", "-Wall", "-static", "-o", program, program + ".c"]);
        Assert.True(compiled.ExitCode == 0, compiled.Error);
        Assert.Equal(0, daemon.OnHost(program).ExitCode); // it goes into the background when it can be asked
    }
}
