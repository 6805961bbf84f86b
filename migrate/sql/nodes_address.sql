SELECT host(inet_server_addr()), inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1', current_setting('port')
